import type { Files, Io } from "#core/io.ts";
import { limitProperties } from "./build-limits.ts";
import type { CommandLine, CommandSettings } from "./command-lines.ts";
import { asItIs, inTransientUnit, type UnitProperty } from "./transient-unit.ts";
import { listFiles } from "./write-sources.ts";

/** The user that the unit has while it runs; a nix.conf may name it in `allowed-users`. */
const evaluatingUser = "firstlight-evaluate";

/**
 * What a program is left that evaluates Nix from outside: it reads what everybody may read, but
 * nothing below /var except the sources, and speaks to the Nix daemon, which takes its derivations.
 */
const sandbox: readonly UnitProperty[] = [
  ["DynamicUser", "yes"],
  ["User", evaluatingUser],
  ["CapabilityBoundingSet", ""],
  ["LockPersonality", "yes"],
  ["NoNewPrivileges", "yes"],
  ["PrivateDevices", "yes"],
  ["PrivateTmp", "yes"],
  ["ProtectClock", "yes"],
  ["ProtectControlGroups", "yes"],
  ["ProtectHome", "yes"],
  ["ProtectHostname", "yes"],
  ["ProtectKernelLogs", "yes"],
  ["ProtectKernelModules", "yes"],
  ["ProtectKernelTunables", "yes"],
  ["ProtectProc", "invisible"],
  ["ProtectSystem", "strict"],
  ["RestrictNamespaces", "yes"],
  ["RestrictRealtime", "yes"],
  ["RestrictSUIDSGID", "yes"],
  ["SystemCallArchitectures", "native"],
  ["SystemCallErrorNumber", "EPERM"],
  ["SystemCallFilter", "@system-service"],
  ["TemporaryFileSystem", "/var:ro"],
];

const offline: readonly UnitProperty[] = [
  ["PrivateNetwork", "yes"],
  ["RestrictAddressFamilies", "AF_UNIX"],
];

/** What is brought may not fill the memory, nor the directory in which it lies for a moment. */
const fetching: readonly UnitProperty[] = [
  ["RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"],
  ["LimitFSIZE", "2G"],
  ["MemoryMax", "50%"],
  ["TasksMax", "64"],
];

/** Name of the unit of an evaluation, by its transaction or its sources, without suffix. */
export function evaluationUnit(subject: string): string {
  return `firstlight-evaluate-${subject}`;
}

/** An evaluation as a unit of its own, without privileges and with the limits of a build. */
export function evaluateApart(
  settings: Pick<CommandSettings, "hostSources" | "nixPath" | "buildLimits">,
  name: string,
  line: CommandLine,
): CommandLine {
  const apart = inTransientUnit(line, {
    name,
    keepFailed: true,
    properties: [
      ...sandbox,
      ...offline,
      ...limitProperties(settings.buildLimits),
      ["BindReadOnlyPaths", settings.hostSources],
      ["RuntimeMaxSec", `${Math.ceil(line.timeoutMs / 1000)}s`],
      ["TimeoutStopSec", "10s"],
    ],
    env: { HOME: "/tmp", NIX_REMOTE: "daemon", NIX_PATH: settings.nixPath },
  });
  return { ...apart, scope: `${name}.service`, missing: "system/nix-failed" };
}

/**
 * A program that brings sources from the network and hands them to the Nix daemon, as a unit with as few
 * privileges: all that it may do beyond an evaluation is to open connections.
 */
export function fetchApart(line: CommandLine, path: string | undefined): CommandLine {
  const [program, ...args] = line.argv;
  return inTransientUnit(
    { ...line, argv: [program, ...args.map(asItIs)] },
    {
      properties: [
        ...sandbox.map(([name, value]) =>
          name === "User" ? ([name, "firstlight-fetch"] as const) : ([name, value] as const),
        ),
        ...fetching,
        ["RuntimeMaxSec", `${Math.ceil(line.timeoutMs / 1000)}s`],
        ["TimeoutStopSec", "10s"],
      ],
      env: { PATH: path, NIX_REMOTE: "daemon" },
    },
  );
}

/** What is said where it is not so. */
export const evaluatedAsRoot = {
  code: "system/evaluated-as-root",
  message: "the configuration was evaluated as root, not by a user without privileges",
} as const;

/** Who evaluates sources. */
export type EvaluatedBy = "apart" | "root";

/**
 * Who may evaluate these sources: an unprivileged unit where systemd and a Nix daemon are, and
 * everybody may read the files. A file of the owner's that only root may read (nobody else can make
 * one) has to be read by root.
 */
export function whoEvaluates(
  files: Files,
  { paths, apart }: Pick<CommandSettings, "paths" | "apart">,
  sourcesDigest: string,
): EvaluatedBy {
  const directory = `${paths.sources}/${sourcesDigest}`;
  const mayRead = (file: string) => ((files.stat(`${directory}/${file}`)?.mode ?? 0) & 0o004) !== 0;
  return apart && listFiles(files, directory).every(mayRead) ? "apart" : "root";
}

/** Whether evaluations can have a unit of their own. */
export function canEvaluateApart(
  storeFiles: Files,
  env: Io["env"],
  { systemd, daemonSocket }: { readonly systemd: boolean; readonly daemonSocket: string },
): boolean {
  const remote = env["NIX_REMOTE"] ?? "";
  const usesDaemon = remote === "" || remote === "auto" || remote === "daemon";
  return systemd && usesDaemon && storeFiles.stat(daemonSocket) !== undefined;
}
