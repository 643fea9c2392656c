import { Fault } from "#core/fault.ts";
import type { ExecRequest, ExecResult, Io } from "#core/io.ts";
import { asItIs, inTransientUnit } from "../transient-unit.ts";

/**
 * Programs that work inside of the root side's sandbox: they only speak to a daemon over a unix
 * socket, or write where the root side may. Whatever else is asked for (a system's own programs,
 * swap, boot loaders, hooks) needs the machine itself.
 */
const inside: ReadonlySet<string> = new Set([
  "journalctl",
  "nix-env",
  "nix-instantiate",
  "nix-store",
  "prlimit", // unpacks an archive
  "sync",
  "systemctl",
  "systemd-run",
]);

/** So long a unit may still take to end when it is stopped. */
const stopMs = 120_000;

/**
 * The machine as a process in a sandbox sees it: what needs more than the sandbox gives is run by
 * systemd in a unit of its own, with this process's input and output. `more` names programs that work
 * inside of this sandbox beside those of the root side's.
 */
export function outsideOfSandbox(io: Io, more: readonly string[] = []): Io {
  const isInside = ({ file }: ExecRequest) => inside.has(file) || more.includes(file);
  return {
    ...io,
    exec: (request) => (isInside(request) ? io.exec(request) : execOutside(io, request)),
  };
}

async function execOutside(io: Io, request: ExecRequest): Promise<ExecResult> {
  if (isNowhere(io, request.file))
    throw new Fault("exec/not-found", `${request.file}: no such program`);
  const name = `firstlight-run-${io.random.uuid().slice(0, 8)}`;
  const seconds = (ms: number) => `${Math.ceil(ms / 1000)}s`;
  const { graceMs } = request;
  const { argv } = inTransientUnit(
    { argv: [request.file, ...request.args.map(asItIs)], timeoutMs: request.timeoutMs },
    {
      name,
      properties: [
        ["RuntimeMaxSec", seconds(request.timeoutMs)],
        ...(graceMs === undefined ? [] : [["TimeoutStopSec", seconds(graceMs)] as const]),
        ...(request.cwd === undefined ? [] : [["WorkingDirectory", request.cwd] as const]),
      ],
      env: { PATH: io.env["PATH"], ...request.env },
    },
  );
  const [file, ...args] = argv;
  const { env: _env, cwd: _cwd, ...rest } = request;
  const result = await io.exec({ ...rest, file, args });
  // The unit outlives a systemd-run that was told to end.
  if (result.aborted || result.timedOut) await stop(io, name);
  return result;
}

/** Whether a program is named that is not on the path; systemd-run would only say that it failed. */
function isNowhere({ env, files }: Io, file: string): boolean {
  const { PATH: path } = env;
  if (path === undefined || file.includes("/")) return false;
  return path.split(":").every((directory) => files.realPath(`${directory}/${file}`) === undefined);
}

async function stop(io: Io, name: string): Promise<void> {
  const args = ["stop", `${name}.service`];
  await io.exec({ file: "systemctl", args, timeoutMs: stopMs, effect: `stop ${name}` });
}
