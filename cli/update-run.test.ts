import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { canonicalJson, sha256 } from "#core/canonical-json.ts";
import { firstlight, healthy, machine } from "./try-commands.ts";

// Each command is a process of its own.
t.setTimeout(600_000);

const health = { passes: 1, interval: "1ms", timeout: "1s" };

/** Leaves an assignment where the root side leaves it. */
function assign(root: string, id: string, spec: object, more: object = {}): void {
  const name = `edge-${id}`;
  const release = `release/${name}`;
  const text = canonicalJson({
    v: 1,
    name,
    number: 1,
    spec: { version: 1, health, ...spec },
    ...more,
  });
  const target = { path: release, name, number: 1, length: text.length, sha256: sha256(text) };
  const assignment = { updateId: id, release: target, update: { id }, closures: [] };
  const file = path.join(root, "var/lib/firstlight/update/assigned.json");
  mkdirSync(path.dirname(file), { recursive: true });
  const content = {
    v: 1,
    assignment,
    envelope: {},
    documents: { [release]: text },
    receivedAt: "",
  };
  writeFileSync(file, JSON.stringify(content));
}

t.test("a release takes the place of the user-data, and later boots stay on it", async (t) => {
  const root = machine(t, `#cloud-config\ntimezone: UTC\n${healthy}`);
  const on = (...args: readonly string[]) =>
    firstlight([...args, "--root", root, "--driver", "dry"]);
  const read = (file: string) => readFileSync(path.join(root, file), "utf8");
  t.match(on("boot"), { code: 0, stdout: /committed: generation 1/ });
  t.match(on("update", "run"), { code: 0, stdout: "no update was assigned yet\n" });

  assign(root, "u-1", { timezone: "Europe/Berlin" });
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
  const settings = path.join(root, "etc/firstlight/settings.json");
  mkdirSync(path.dirname(settings), { recursive: true });
  writeFileSync(settings, '{"policy": {"changes": "hold"}}');
  t.match(on("boot"), { code: 77, stdout: /made from the release edge-u-1, and something beside/ });
  assign(root, "u-2", { timezone: "UTC" });
  t.match(on("update", "run"), {
    code: 77,
    stdout: /u-2: REJECTED .*something beside it has changed {2}\[policy\/held\]/,
  });
});

t.test("what a release says wrongly is refused with its place, and the node stays", async (t) => {
  const root = machine(t, `#cloud-config\ntimezone: UTC\n${healthy}`);
  const on = (...args: readonly string[]) =>
    firstlight([...args, "--root", root, "--driver", "dry"]);
  t.match(on("boot"), { code: 0 });
  assign(root, "u-1", { timezoone: "UTC" });
  t.match(on("update", "run"), {
    code: 77,
    stdout: /u-1: REJECTED .*release\/edge-u-1:\d+:\d+ timezoone.*\[user-data\/invalid\]/,
  });
  assign(
    root,
    "u-2",
    {},
    { closure: { toplevel: "/nix/store/x", manifestDigest: "0".repeat(64) } },
  );
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
