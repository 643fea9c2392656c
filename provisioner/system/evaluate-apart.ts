import type { Files, Io } from "#core/io.ts";
import type { CommandLine, CommandSettings } from "./command-lines.ts";
import { inTransientUnit, type UnitProperty } from "./transient-unit.ts";
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
  ["PrivateNetwork", "yes"],
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
  ["RestrictAddressFamilies", "AF_UNIX"],
  ["RestrictNamespaces", "yes"],
  ["RestrictRealtime", "yes"],
  ["RestrictSUIDSGID", "yes"],
  ["SystemCallArchitectures", "native"],
  ["SystemCallErrorNumber", "EPERM"],
  ["SystemCallFilter", "@system-service"],
  ["TemporaryFileSystem", "/var:ro"],
];

/** Name of the unit of an evaluation, without its suffix. */
export function evaluationUnit(txn: string): string {
  return `firstlight-evaluate-${txn}`;
}

/** An evaluation as a unit of its own, without privileges. */
export function evaluateApart(
  { hostSources, nixPath }: Pick<CommandSettings, "hostSources" | "nixPath">,
  txn: string,
  line: CommandLine,
): CommandLine {
  return inTransientUnit(line, {
    name: evaluationUnit(txn),
    properties: [
      ...sandbox,
      ["BindReadOnlyPaths", hostSources],
      ["RuntimeMaxSec", `${Math.ceil(line.timeoutMs / 1000)}s`],
    ],
    env: { HOME: "/tmp", NIX_REMOTE: "daemon", NIX_PATH: nixPath },
  });
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
