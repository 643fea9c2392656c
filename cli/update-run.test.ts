import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import t, { type Test } from "tap";
import { receive } from "#agent/update/receive.ts";
import { hostIo } from "#core/host-io.ts";
import { silentLog } from "#core/log.ts";
import { type FakeRelease, fakeFleet } from "#protocol/trust/fake-fleet.ts";
import { message } from "#protocol/trust/sign/message.ts";
import { firstlight, healthy, machine } from "./try-commands.ts";

// Each command is a process of its own.
t.setTimeout(600_000);

const health = { passes: 1, interval: "1ms", timeout: "1s" };
const settings = {
  fleet: { root: "/etc/firstlight/root.json" },
  report: { fleet: "plant-7", node: "edge-17" },
};

function write(root: string, file: string, text: string): void {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, file), text);
}

/** A machine of a fleet in a directory, that was booted once. */
function node(t: Test) {
  const root = machine(t, `#cloud-config\ntimezone: UTC\n${healthy}`);
  const fleet = fakeFleet({ nowMs: Date.now() });
  write(root, "etc/firstlight/settings.json", JSON.stringify(settings));
  write(root, "etc/firstlight/root.json", JSON.stringify(fleet.firstRoot));
  const on = (...args: readonly string[]) =>
    firstlight([...args, "--root", root, "--driver", "dry"]);
  t.match(on("boot"), { code: 0, stdout: /committed: generation 1/ });
  const releases: FakeRelease[] = [];
  /** The fleet signs a release and assigns it, and the root side takes that. */
  async function assign(id: string, spec: object, more: object = {}): Promise<void> {
    const name = `edge-${id}`;
    const document = { spec: { version: 1, health, ...spec }, ...more };
    releases.push({ name, number: releases.length + 1, document });
    const offer = fleet.publish({ releases, assigned: name, update: { id } });
    const io = hostIo({ root });
    const bytes = message({ ...offer });
    const deps = { io, log: silentLog, node: fleet.node, rootFile: settings.fleet.root };
    t.match(await receive({ topic: "desired", bytes }, deps), { kind: "assigned", updateId: id });
  }
  return { root, on, assign };
}

t.test("a release takes the place of the user-data, and later boots stay on it", async (t) => {
  const { root, on, assign } = node(t);
  const read = (file: string) => readFileSync(path.join(root, file), "utf8");
  t.match(on("update", "run"), { code: 0, stdout: "no update was assigned yet\n" });

  await assign("u-1", { timezone: "Europe/Berlin" });
  t.match(on("update", "run"), { code: 0, stdout: /^u-1: SUCCEEDED {2}/ });
  t.match(read("etc/nixos/firstlight/instance.nix"), /Europe\/Berlin/);
  t.match(read("etc/nixos/firstlight/instance.nix"), /pi/, "the cloud's own name stays below it");
  t.match(firstlight(["history", "--root", root]), {
    stdout: /2 .*update: the release edge-u-1, signed by the fleet {2}\{u-1: edge-u-1 \(1\)\}/,
  });
  t.match(firstlight(["analyze", "update", "--root", root]), { code: 0, stdout: /COMMITTING/ });

  t.match(on("boot"), { code: 0, stdout: /unchanged/ });
  const seed = path.join(root, "var/lib/cloud/seed/nocloud");
  writeFileSync(path.join(seed, "user-data"), `#cloud-config\ntimezone: Asia/Tokyo\n${healthy}`);
  t.match(on("boot"), { code: 0, stdout: /unchanged/ }, "the cloud's user-data counts no more");
  t.match(on("plan"), { code: 0, stdout: /nothing would change/ });

  writeFileSync(path.join(seed, "meta-data"), "instance-id: i-1\nlocal-hostname: thief\n");
  t.match(on("boot"), { code: 77, stdout: /made from the release edge-u-1, and something beside/ });
  await assign("u-2", { timezone: "UTC" });
  t.match(on("update", "run"), {
    code: 77,
    stdout: /u-2: REJECTED .*something beside it has changed {2}\[policy\/signature-required\]/,
  });
});

t.test("a release that asks for what an earlier one did is taken like any other", async (t) => {
  const { root, on, assign } = node(t);
  for (const [id, timezone] of [
    ["u-1", "Europe/Berlin"],
    ["u-2", "Europe/Berlin"],
    ["u-3", "Asia/Tokyo"],
  ] as const) {
    await assign(id, { timezone });
    t.match(on("update", "run"), { code: 0, stdout: new RegExp(`^${id}: SUCCEEDED`) });
    const file = path.join(root, "etc/nixos/firstlight/instance.nix");
    t.match(readFileSync(file, "utf8"), timezone);
  }
});

t.test("what a release says wrongly is refused with its place, and the node stays", async (t) => {
  const { root, on, assign } = node(t);
  await assign("u-1", { timezoone: "UTC" });
  t.match(on("update", "run"), {
    code: 77,
    stdout: /u-1: REJECTED .*release\/edge-u-1:\d+:\d+ timezoone.*\[user-data\/invalid\]/,
  });
  const closure = { toplevel: "/nix/store/x", manifestDigest: "0".repeat(64) };
  await assign("u-2", {}, { closure });
  t.match(on("update", "run"), {
    code: 77,
    stdout: /u-2: REJECTED .*no builder of the fleet has signed .*\[update\/closure-differs\]/,
  });
  writeFileSync(path.join(root, "var/lib/firstlight/update/assigned.json"), "{");
  t.match(on("update", "run"), {
    code: 1,
    stderr: /assigned\.json: not JSON \[update\/assignment-invalid\]/,
  });
  t.match(on("boot"), { code: 0, stdout: /unchanged/ });
});
