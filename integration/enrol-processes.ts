import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { entry, firstlight, firstlightBeside } from "#cli/try-commands.ts";
import { temporaryDirectory } from "./brokers.ts";

/** What ends with a test. */
interface Test {
  teardown(end: () => void | Promise<void>): void;
}

/** Runs `firstlight fleet enroll …` in the directory of a fleet; returns what it prints. */
export function fleet(directory: string, ...args: readonly string[]): string {
  const { code, stdout, stderr } = firstlight(["fleet", "enroll", ...args, "--dir", directory]);
  if (code !== 0) throw new Error(`fleet enroll ${args.join(" ")}: ${code}: ${stderr}`);
  return stdout;
}

/** `fleet enroll serve` in a process of its own. */
export async function serve(t: Test, directory: string): Promise<ChildProcess> {
  const args = [entry, "fleet", "enroll", "serve", "--dir", directory];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  t.teardown(() => void child.kill("SIGKILL"));
  for await (const line of createInterface({ input: child.stderr })) {
    if (line.includes("listening on port")) break;
  }
  child.stderr.resume();
  return child;
}

/** A machine with settings and a token. */
export function machine(
  t: Test,
  { url, ca, instanceId, token }: Record<"url" | "ca" | "instanceId" | "token", string>,
) {
  const root = temporaryDirectory(t, "firstlight-node-");
  const write = (file: string, text: string) => {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  };
  const enroll = { url, caFile: "/etc/firstlight/ca.pem", tokenFile: "/etc/firstlight/token" };
  write("etc/firstlight/settings.json", JSON.stringify({ fleet: { enroll } }));
  write("etc/firstlight/ca.pem", ca);
  write("etc/firstlight/token", token);
  const datasource = { name: "NoCloud" };
  write(
    "run/firstlight/instance-data.json",
    JSON.stringify({ v1: { instance_id: instanceId }, datasource }),
  );
  return {
    root,
    enroll: (...more: readonly string[]) => firstlightBeside(["enroll", "--root", root, ...more]),
    isEnrolled: () => existsSync(path.join(root, "run/firstlight/enroll/identity.pem")),
    identity: () => readFileSync(path.join(root, "run/firstlight/enroll/identity.pem"), "utf8"),
  };
}
