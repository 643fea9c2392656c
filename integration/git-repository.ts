import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";

/** A repository of a person, made by real Git. */
export interface GitRepository {
  readonly directory: string;
  /** Writes files, a line each by its path, and commits them; the commit. */
  commit(files: Readonly<Record<string, string>>, config?: readonly string[]): string;
  git(...args: readonly string[]): string;
}

const person = ["-c", "user.name=Ops", "-c", "user.email=ops@example.org"];
const env = { PATH: process.env["PATH"], GIT_CONFIG_NOSYSTEM: "1", HOME: "/nonexistent" };

/** Makes an empty one. */
export function gitRepository(directory: string): GitRepository {
  // Never that of a directory around it.
  const own = { ...env, GIT_DIR: path.join(directory, ".git"), GIT_WORK_TREE: directory };
  const git = (...args: readonly string[]) => {
    const made = spawnSync("git", [...person, ...args], {
      cwd: directory,
      env: own,
      encoding: "utf8",
    });
    if (made.status !== 0) throw new Error(`git ${args.join(" ")}: ${made.stderr}`);
    return made.stdout.trim();
  };
  mkdirSync(directory, { recursive: true });
  git("init", "-q", "-b", "main");
  return {
    directory,
    git,
    commit(files, config = []) {
      for (const [name, text] of Object.entries(files)) {
        const file = path.join(directory, name);
        mkdirSync(path.dirname(file), { recursive: true });
        writeFileSync(file, text);
      }
      git("add", "-A");
      git(...config.flatMap((line) => ["-c", line]), "commit", "-qm", "a change");
      return git("rev-parse", "HEAD");
    },
  };
}

/** Serves the repositories below a directory over http on the loopback, as Git's own server does. */
export async function serveGit(
  t: { teardown(close: () => void): unknown },
  directory: string,
): Promise<{ readonly origin: string; readonly requests: string[]; close(): Promise<void> }> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const { pathname, search } = new URL(request.url ?? "/", "http://localhost");
    requests.push(`${request.method} ${pathname}`);
    const backend = spawn("git", ["-c", "safe.directory=*", "http-backend"], {
      env: {
        ...env,
        GIT_PROJECT_ROOT: directory,
        GIT_HTTP_EXPORT_ALL: "1",
        PATH_INFO: pathname,
        QUERY_STRING: search.slice(1),
        REQUEST_METHOD: request.method,
        CONTENT_TYPE: request.headers["content-type"],
        HTTP_CONTENT_ENCODING: request.headers["content-encoding"],
        GIT_PROTOCOL: request.headers["git-protocol"] as string | undefined,
        REMOTE_ADDR: "127.0.0.1",
      },
      stdio: ["pipe", "pipe", "ignore"],
    });
    backend.stdin.on("error", () => {});
    request.pipe(backend.stdin);
    const parts: Buffer[] = [];
    backend.stdout.on("data", (part: Buffer) => parts.push(part));
    backend.on("close", () => {
      const all = Buffer.concat(parts);
      const end = all.indexOf("\r\n\r\n");
      const head = all.subarray(0, Math.max(end, 0)).toString().split("\r\n");
      for (const line of head) {
        const [name = "", value = ""] = line.split(/: (.*)/s);
        if (name === "Status") response.statusCode = Number.parseInt(value, 10);
        else if (name !== "") response.setHeader(name, value);
      }
      response.end(all.subarray(end + 4));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, requests, close };
}
