// Runs inside of the container, as root: asks the root side that systemd has started, and writes what
// it saw to /var/result. With `courier` it is the network side instead: asks at its door and prints.

import { readFileSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { sourceFetcher } from "#agent/fetch-sources.ts";
import { sha256 } from "#core/canonical-json.ts";
import { describeFault, isFault } from "#core/fault.ts";
import { hostClock } from "#core/host-io.ts";
import { silentLog } from "#core/log.ts";
import { runProcess } from "#core/run-process.ts";
import type { Sources } from "#provisioner/render/sources.ts";
import { type SystemClient, systemClient } from "#provisioner/system/client.ts";
import { askCourierDoor, systemOverSocket } from "#provisioner/system/sides/connect.ts";
import { apart, courierChild } from "#provisioner/system/sides/courier-child.ts";
import { courierSocket, operatorSocket } from "#provisioner/system/sides/places.ts";
import type { ChangeReason, SystemEvent, Verdict } from "#provisioner/system/system.ts";
import { fetchInside } from "./fetch-inside.ts";
import { judgeInside } from "./judge-inside.ts";

const reason: ChangeReason = { by: "apply", why: "a test", instanceId: null };
const verdict: Verdict = { healthy: true, reasons: ["well"], passes: 1, ms: 1 };
const clock = hostClock;

/** What was seen; see `sides-systemd.full.test.ts`. */
export interface Seen {
  readonly events: readonly SystemEvent[];
  readonly [what: string]: unknown;
}

function sources(name: string, more = ""): Sources {
  const content = `{ name = "${name}"; more = ${more === "" ? "null" : more}; }\n`;
  const nixpkgs = "/opt/nixpkgs";
  const pins = JSON.stringify({ nixpkgs: { storePath: nixpkgs } });
  const files = [
    { path: "configuration.nix", content, mode: 0o644 },
    { path: "firstlight/pins.json", content: pins, mode: 0o644 },
  ];
  return { digest: sha256(content), files, credentials: [], nixpkgs };
}

async function attempt(work: () => Promise<unknown>): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    const { code, message } = describeFault(error);
    return { code, message, hint: isFault(error) ? (error.hint ?? null) : null };
  }
}

async function run(file: string, ...args: readonly string[]): Promise<string> {
  const { stdout, stderr, code } = await runProcess({ file, args, timeoutMs: 60_000 }, process.env);
  return code === 0 ? stdout.trim() : `${code}: ${stderr.trim()}`;
}

const show = (property: string) =>
  run("systemctl", "show", "--value", `--property=${property}`, "firstlight-system.service");

async function apply(c: SystemClient, name: string): Promise<unknown> {
  const plan = await c.plan(await c.build(sources(name), reason));
  const trial = await c.try(plan);
  const armed = await run("systemctl", "list-units", "--plain", "--no-legend", "firstlight-way-*");
  const committed = await c.commit(trial, verdict);
  const left = await run("systemctl", "list-units", "--plain", "--no-legend", "firstlight-way-*");
  return { plan, trial, committed, armed, left };
}

/** What an unprivileged user is answered at a door. */
function asUser(groups: string, door: "courier" | "operator"): Promise<string> {
  const properties = [
    "DynamicUser=yes",
    "PrivateNetwork=yes",
    ...(groups === "" ? [] : [`SupplementaryGroups=${groups}`]),
  ];
  const program = [process.execPath, import.meta.filename, door];
  const options = properties.map((property) => `--property=${property}`);
  return run("systemd-run", "--pipe", "--wait", "--quiet", "--collect", ...options, ...program);
}

/** An address, read by a child that systemd starts. */
async function fetchApart(): Promise<string | undefined> {
  const server = createServer((request, response) => response.end(`you asked for ${request.url}`));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/part`;
  const argv = [process.execPath, "/opt/firstlight/cli/main.ts", "courier"] as const;
  const courier = courierChild(apart(argv));
  const fetched = await sourceFetcher({ log: silentLog, clock, courier })([url]);
  server.close();
  return fetched.get(url)?.toString();
}

async function waitUntilIdle(): Promise<string> {
  for (;;) {
    const state = await show("ActiveState");
    if (state !== "active" && state !== "deactivating") return state;
    await clock.sleep(200);
  }
}

async function see(): Promise<Seen> {
  const events: SystemEvent[] = [];
  const system = systemOverSocket({ path: operatorSocket, clock });
  const c = systemClient(system, { onEvent: (event) => events.push(event) });
  const stateBefore = await show("ActiveState");
  const recovered = await c.recover();
  const pid = await show("MainPID");
  const first = await attempt(() => apply(c, "one"));
  const second = await attempt(() => apply(c, "two"));
  const secret = "builtins.readFile /var/lib/firstlight/credentials/secret";
  const imported =
    'import (derivation { name = "made"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "echo 1 > $out" ]; })';
  const outside =
    '{ journal = builtins.pathExists "/var/lib/firstlight/journal"; uid = builtins.readFile "/proc/self/status"; }';
  const seen = {
    stateBefore,
    recovered,
    first,
    second,
    pid,
    modes: [operatorSocket, courierSocket].map((file) => {
      const { mode, uid, gid } = statSync(file);
      return [mode & 0o777, uid, gid === 0 ? "root" : "its group"];
    }),
    networks: {
      machine: readlinkSync("/proc/1/ns/net"),
      rootSide: readlinkSync(`/proc/${pid}/ns/net`),
    },
    switches: readFileSync("/var/switches", "utf8").trim().split("\n"),
    secret: await attempt(() => c.build(sources("three", secret), reason)),
    imported: await attempt(() => c.build(sources("four", imported), reason)),
    outside: await attempt(() =>
      c.build(sources("five", `throw (builtins.toJSON ${outside})`), reason),
    ),
    courier: await asUser("firstlight", "courier"),
    stranger: await asUser("", "courier"),
    fetched: await attempt(fetchApart),
    closure: await attempt(() => fetchInside(sources("six"), attempt)),
    intruder: await asUser("firstlight", "operator"),
    judged: await attempt(async () =>
      judgeInside(c, await c.plan(await c.build(sources("falling"), reason))),
    ),
    events,
  };
  system.close();
  const idle = await waitUntilIdle();
  const again = systemOverSocket({ path: operatorSocket, clock });
  const woken = await systemClient(again).status();
  again.close();
  return { ...seen, idle, woken, result: await show("Result") };
}

const [door] = process.argv.slice(2);
if (door === undefined) {
  const seen = await attempt(see);
  writeFileSync("/var/result", JSON.stringify(seen));
} else {
  const path = door === "courier" ? courierSocket : operatorSocket;
  const answer = await attempt(() => askCourierDoor({ path, clock }, { kind: "status" }));
  console.log(JSON.stringify(answer));
}
