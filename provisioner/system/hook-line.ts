import type { CommandLine, CommandSettings } from "./command-lines.ts";
import type { HookRequest } from "./commands.ts";
import { asItIs } from "./transient-unit.ts";

type Settings = Pick<CommandSettings, "paths" | "systemd" | "hostCredentials">;
type Argv = readonly [string, ...string[]];

const graceMs = 30_000;
/** Where programs are found that a script calls by name. */
const searchPath = "/run/wrappers/bin:/run/current-system/sw/bin:/usr/bin:/bin";

/** How a hook is run: in a transient unit with a deadline, which reads a script from its credential. */
export function hookLine(
  { paths, systemd, hostCredentials }: Settings,
  request: HookRequest,
): CommandLine {
  const { hook, txn, toplevel } = request;
  const env = {
    FIRSTLIGHT_WHEN: hook.when,
    FIRSTLIGHT_TRANSACTION: txn,
    FIRSTLIGHT_SYSTEM: toplevel,
  };
  const { name, timeoutMs } = hook;
  const effect = `hook ${hook.when} ${name}`;
  const deadlineMs = timeoutMs + graceMs;
  if (!systemd) {
    const argv: Argv = isArgv(hook.command)
      ? hook.command
      : [hook.script?.shell ?? "sh", `${hostCredentials}/${hook.script?.file ?? ""}`];
    return { argv, env, timeoutMs, effect };
  }
  const argv: Argv = [
    "systemd-run",
    "--wait",
    "--quiet",
    "--no-ask-password",
    "--service-type=exec",
    `--unit=${hookUnit(request)}`,
    `--property=RuntimeMaxSec=${Math.ceil(timeoutMs / 1000)}s`,
    ...Object.entries({ ...env, PATH: searchPath }).map(
      ([key, value]) => `--setenv=${key}=${value}`,
    ),
    ...unitCommand(hook, paths.credentials),
  ];
  return { argv, timeoutMs: deadlineMs, effect };
}

/** Name of the transient unit of a hook, without its suffix. */
export function hookUnit({ hook, txn }: HookRequest): string {
  return `firstlight-hook-${hook.name}-${txn}`;
}

function unitCommand(
  { command, script }: HookRequest["hook"],
  credentials: string,
): readonly string[] {
  if (script === null) return ["--", ...command.map(asItIs)];
  const key = script.encrypted ? "LoadCredentialEncrypted" : "LoadCredential";
  return [
    `--property=${key}=${script.name}:${credentials}/${script.file}`,
    "--",
    "/bin/sh",
    "-c",
    `exec ${script.shell} "$CREDENTIALS_DIRECTORY/$0"`,
    script.name,
  ];
}

function isArgv(command: readonly string[]): command is Argv {
  return command.length > 0;
}
