import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A PostgreSQL of a test, on a socket of its own. */
export interface Postgres {
  /** A new, empty database in it. */
  newAddress(): Promise<string>;
  /** As a power cut ends it; `start` brings it back. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

const programs = "/usr/lib/postgresql";
const startMs = 60_000;

/** Directory of the newest PostgreSQL's programs, as Debian puts them; `undefined` when there is none. */
export function postgresPrograms(): string | undefined {
  if (!existsSync(programs)) return undefined;
  const versions = readdirSync(programs).filter((name) => /^[0-9]+$/.test(name));
  const newest = versions.sort((a, b) => Number(b) - Number(a))[0];
  const directory = join(programs, newest ?? "", "bin");
  return newest !== undefined && existsSync(join(directory, "initdb")) ? directory : undefined;
}

/**
 * Starts a PostgreSQL with a database directory of its own, on a unix socket alone, never Debian's own
 * service. It refuses to be root: as root it runs as the user `nobody`.
 */
export async function startPostgres(t: {
  teardown(end: () => void | Promise<void>): void;
}): Promise<Postgres> {
  const bin = postgresPrograms() ?? "";
  if (bin === "") throw new Error("there is no PostgreSQL below /usr/lib/postgresql");
  const directory = mkdtempSync(join(tmpdir(), "firstlight-pg-"));
  const user = process.getuid?.() === 0 ? userOf("nobody") : undefined;
  if (user !== undefined) chownSync(directory, user.uid, user.gid);
  chmodSync(directory, 0o700);
  const data = join(directory, "data");
  const socket = join(directory, "socket");
  mkdirSync(socket);
  if (user !== undefined) chownSync(socket, user.uid, user.gid);
  const as = { cwd: directory, ...user, env: { PATH: "/usr/bin:/bin", LC_ALL: "C.UTF-8" } };
  const run = (program: string, ...args: readonly string[]) => {
    const done = spawnSync(join(bin, program), args, { ...as, encoding: "utf8" });
    if (done.status !== 0) throw new Error(`${program}: ${done.stderr}`);
  };
  run(
    "initdb",
    "-D",
    data,
    "-U",
    "test",
    "-A",
    "trust",
    "-E",
    "UTF8",
    "--locale=C.UTF-8",
    "--no-sync",
  );
  let server: ChildProcess | undefined;
  let databases = 0;

  async function start(): Promise<void> {
    const args = ["-D", data, "-k", socket, "-c", "listen_addresses="];
    const limits = [
      "-c",
      "shared_buffers=16MB",
      "-c",
      "max_connections=40",
      "-c",
      "autovacuum=off",
    ];
    const child = spawn(join(bin, "postgres"), [...args, ...limits], { ...as, stdio: "ignore" });
    server = child;
    const untilMs = Date.now() + startMs;
    for (;;) {
      const ready = spawnSync(join(bin, "pg_isready"), ["-q", "-h", socket], as);
      if (ready.status === 0) return;
      if (child.exitCode !== null || Date.now() > untilMs)
        throw new Error("PostgreSQL did not start");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async function end(signal: "SIGINT" | "SIGQUIT"): Promise<void> {
    const child = server;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await ended;
  }

  t.teardown(async () => {
    await end("SIGINT");
    rmSync(directory, { recursive: true, force: true });
  });
  await start();
  return {
    async newAddress() {
      const name = `registry${databases++}`;
      run("createdb", "-h", socket, "-U", "test", name);
      return `postgresql://test@${encodeURIComponent(socket)}/${name}`;
    },
    // Its children see the end at once, and nothing is written any more.
    kill: () => end("SIGQUIT"),
    start,
  };
}

function userOf(name: string): { readonly uid: number; readonly gid: number } {
  const id = (flag: string) => Number(spawnSync("id", [flag, name], { encoding: "utf8" }).stdout);
  return { uid: id("-u"), gid: id("-g") };
}
