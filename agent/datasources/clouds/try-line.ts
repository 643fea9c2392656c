/** For tests: hosts that answer over a line, on a real socket or a real terminal. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Test } from "tap";

type Teardown = Pick<Test, "teardown">;

/** Answers what comes over a connection, whose number is counted from 1. */
export type FakeHost = (received: string, connection: number) => string | "end";

/** A host behind a socket; `unix:PATH`. It ends with the test. */
export async function fakeSocketHost(t: Teardown, host: FakeHost): Promise<string> {
  const directory = mkdtempSync(path.join(tmpdir(), "line-"));
  const file = path.join(directory, "sock");
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    const connection = ++connections;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      const answer = host(chunk.toString("utf8"), connection);
      if (answer === "end") socket.destroy();
      else socket.write(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(file, resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
    rmSync(directory, { recursive: true });
  });
  return `unix:${file}`;
}

/** Opens a terminal, and carries what comes over it between its other end and us, in hexadecimal lines. */
const carrier = `
import os, pty, sys, threading
ours, theirs = pty.openpty()
print(os.ttyname(theirs), flush=True)
def outwards():
    for line in sys.stdin:
        os.write(ours, bytes.fromhex(line.strip()))
threading.Thread(target=outwards, daemon=True).start()
while True:
    print(os.read(ours, 65536).hex(), flush=True)
`;

/** A host behind a terminal that stands for a serial port: `serial:/dev/pts/7`. Ends with the test. */
export async function fakeSerialHost(t: Teardown, host: FakeHost): Promise<string> {
  const child = spawn("python3", ["-c", carrier], { stdio: ["pipe", "pipe", "inherit"] });
  t.teardown(() => void child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout });
  return new Promise((resolve) => {
    let terminal: string | undefined;
    lines.on("line", (line) => {
      if (terminal === undefined) {
        terminal = line;
        resolve(`serial:${terminal}`);
        return;
      }
      const answer = host(Buffer.from(line, "hex").toString("utf8"), 1);
      child.stdin.write(`${Buffer.from(answer).toString("hex")}\n`);
    });
  });
}
