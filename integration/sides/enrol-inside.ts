// Enrols this container by the unit that ships, at a server of its own, and prints what it finds then.

import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { inside } from "./container.ts";

/** What the container says. */
export interface EnrolledInside {
  /** What the agent was handed, in the order of its starts. */
  readonly handed: string;
  readonly status: { readonly state: string; readonly node: string };
  readonly identity: { readonly mode: string; readonly uid: number };
  /** Names in the directory of the node's keys. */
  readonly files: readonly string[];
  readonly directoryMode: string;
}

const main = `${inside.checkout}/cli/main.ts`;
const fleet = (...args: readonly string[]) =>
  execFileSync(inside.node, [main, "fleet", "enroll", ...args, "--dir", "/var/fleet"], {
    encoding: "utf8",
  });
const systemctl = (...args: readonly string[]) =>
  execFileSync("systemctl", args, { stdio: "pipe" });
const handed = () => (existsSync("/var/agent-out") ? readFileSync("/var/agent-out", "utf8") : "");
const mode = (file: string) => (statSync(file).mode & 0o777).toString(8);

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let waits = 0; waits < 300; waits++) {
    if (holds()) return;
    await sleep(100);
  }
  throw new Error(`${what}: not within 30 s: ${handed()}`);
}

/** What the units have said. */
const journal = () =>
  execFileSync("journalctl", ["--no-pager", "--output=cat", "-n", "60"], { encoding: "utf8" });

try {
  execFileSync("ip", ["link", "set", "lo", "up"]);
  const url = "https://localhost:8443";
  fleet("init", "--fleet", "demo", "--url", url);
  for (const directory of ["/etc/firstlight", "/run/firstlight", "/var/lib/firstlight"])
    mkdirSync(directory, { recursive: true });
  const tokenFile = "/etc/firstlight/token";
  writeFileSync(tokenFile, fleet("token", "--node", "edge-1", "--instance", "i-1"), {
    mode: 0o600,
  });
  const enroll = { url, caFile: "/var/fleet/ca.pem", tokenFile };
  writeFileSync("/etc/firstlight/settings.json", JSON.stringify({ fleet: { enroll } }));
  const said = { v1: { instance_id: "i-1" }, datasource: { name: "NoCloud" } };
  writeFileSync("/run/firstlight/instance-data.json", JSON.stringify(said));
  const server = spawn(inside.node, [main, "fleet", "enroll", "serve", "--dir", "/var/fleet"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  for await (const line of createInterface({ input: server.stderr }))
    if (line.includes("listening")) break;
  server.stderr.resume();

  systemctl("start", "firstlight-identity.path", "firstlight-agent.service");
  await until("the agent without a certificate", () => handed().includes("not enrolled yet"));
  systemctl("start", "firstlight-enroll.service");
  await until("the agent with a certificate", () => handed().includes("BEGIN CERTIFICATE"));
  const identity = "/run/firstlight/enroll/identity.pem";
  const result: EnrolledInside = {
    handed: handed(),
    status: JSON.parse(readFileSync("/run/firstlight/enrolment.json", "utf8")),
    identity: { mode: mode(identity), uid: statSync(identity).uid },
    files: readdirSync("/var/lib/firstlight/enroll"),
    directoryMode: mode("/var/lib/firstlight/enroll"),
  };
  console.log(JSON.stringify(result));
  process.exit(0);
} catch (error) {
  console.log(JSON.stringify({ error: String(error), journal: journal() }));
  process.exit(1);
}
