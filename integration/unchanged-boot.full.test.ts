import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import { openSpool } from "#agent/link/spool.ts";
import type { Outcome } from "#agent/outcome.ts";
import { unchangedInputsFile } from "#agent/unchanged-inputs.ts";
import { committedFile } from "#agent/update/places.ts";
import { hostIo } from "#core/host-io.ts";
import { silentLog } from "#core/log.ts";
import { qemuQ35 } from "./machines/qemu-q35.ts";
import { writeMachine } from "./machines/write-machine.ts";
import { writeSeed } from "./machines/write-seed.ts";
import { hasBundle, programs } from "./story.ts";

t.setTimeout(240_000);
const skip = hasBundle ? false : "needs the bundle: npm run build";

const userData = `#cloud-config
hostname: edge
users:
  - { name: alice, groups: [wheel], ssh_authorized_keys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJlbmNo alice"] }
write_files:
  - { path: /etc/token, content: canary, permissions: "0600" }
unknown_key: 1
firstlight: { health: { passes: 1, interval: 1ms, timeout: 5s } }
`;

interface Boot {
  readonly code: number | null;
  readonly stderr: string;
  readonly outcome: Outcome;
}

/** A machine that has booted twice: what its inputs lead to is known. */
function settled(t: Test): { readonly root: string; readonly boot: () => Boot } {
  const root = t.testdir();
  writeMachine(root, qemuQ35);
  writeSeed(root, "i-1", userData);
  const boot = () => bootOnce(root);
  t.match(boot().outcome, { outcome: "committed" });
  t.match(boot().outcome, { outcome: "unchanged" });
  return { root, boot };
}

function bootOnce(root: string, coverage?: string): Boot {
  const argv = [programs.bundle, "boot", "-q", "--root", root, "--driver", "dry"];
  const env = { ...process.env, NODE_V8_COVERAGE: coverage ?? "" };
  const { status, stderr } = spawnSync(process.execPath, argv, { encoding: "utf8", env });
  const result = readFileSync(path.join(root, "run/firstlight/result.json"), "utf8");
  return { code: status, stderr, outcome: JSON.parse(result) as Outcome };
}

function place(root: string, file: string, text: string): void {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, file), text);
}

const stagesOf = ({ outcome }: Boot) => outcome.stages.map(({ stage }) => stage);
const isShort = (boot: Boot) => !stagesOf(boot).includes("render");

/** What is the same of every boot with the same end. */
function lasting({ outcome: { stages, startedAt, finishedAt, ...rest } }: Boot): object {
  return rest;
}

t.test("a boot with nothing to do takes the short way, to the same end", { skip }, async (t) => {
  const { root, boot } = settled(t);
  const short = boot();
  t.ok(isShort(short), stagesOf(short).join(" "));
  const data = readFileSync(path.join(root, "run/firstlight/instance-data.json"), "utf8");
  rmSync(path.join(root, unchangedInputsFile));
  rmSync(path.join(root, "run/firstlight"), { recursive: true });
  const long = boot();
  t.notOk(isShort(long));
  t.strictSame(lasting(short), lasting(long));
  t.equal(short.code, long.code);
  t.equal(short.stderr, long.stderr, "findings are told again");
  t.match(short.stderr, "unknown_key");
  t.equal(readFileSync(path.join(root, "run/firstlight/instance-data.json"), "utf8"), data);
  t.match(readFileSync(path.join(root, "run/firstlight/status.json"), "utf8"), "unchanged");
});

t.test("both ways hand the same events to the network side", { skip }, async (t) => {
  const { root, boot } = settled(t);
  const [before, first] = [events(root), boot() && events(root)];
  rmSync(path.join(root, unchangedInputsFile));
  boot();
  const second = events(root);
  t.strictSame(first.slice(before.length), second.slice(first.length));
  t.ok(second.length > first.length);
});

t.test("the short way loads nothing of what makes a system", { skip }, async (t) => {
  const { root } = settled(t);
  const coverage = path.join(root, "coverage");
  const loads = () => {
    rmSync(coverage, { recursive: true, force: true });
    const boot = bootOnce(root, coverage);
    return { boot, sources: sourcesLoaded(coverage) };
  };
  const heavy =
    /provisioner\/(?:render\/render|render\/users|spec|userdata\/translate|profiles\/match)|make-system/;
  const short = loads();
  t.ok(isShort(short.boot));
  t.ok(short.sources.some((source) => source.endsWith("agent/boot.ts")));
  t.strictSame(
    short.sources.filter((source) => heavy.test(source)),
    [],
  );
  rmSync(path.join(root, unchangedInputsFile));
  t.ok(loads().sources.some((source) => heavy.test(source)));
});

const changes: Readonly<Record<string, (root: string) => void>> = {
  "user-data": (root) =>
    place(root, "/var/lib/cloud/seed/nocloud/user-data", `${userData}# more\n`),
  "meta-data": (root) =>
    place(root, "/var/lib/cloud/seed/nocloud/meta-data", "instance-id: i-1\nlocal-hostname: x\n"),
  "another seed": (root) =>
    place(root, "/var/lib/cloud/seed/nocloud-net/meta-data", "instance-id: i-1\n"),
  settings: (root) => place(root, "/etc/firstlight/settings.json", '{"defaultUser":"ops"}'),
  pins: (root) => place(root, "/etc/firstlight/pins.json", "{}"),
  "local.nix": (root) => place(root, "/etc/nixos/local.nix", "{ }"),
  "a credential that is gone": (root) => {
    const directory = path.join(root, "var/lib/firstlight/credentials");
    for (const name of readdirSync(directory).filter((each) => each.includes("@")))
      rmSync(path.join(directory, name));
  },
  "the salt of the credentials": (root) =>
    rmSync(path.join(root, "var/lib/firstlight/credentials/.salt")),
  "a pinned instance that is gone": (root) =>
    rmSync(path.join(root, "var/lib/firstlight/instance/pinned.json")),
  "trust in a fleet": (root) => place(root, "/var/lib/firstlight/trust/root.json", "{}"),
  "a fact": (root) => place(root, "/sys/devices/virtual/dmi/id/product_name", "Another\n"),
  "a boot default of another": (root) => {
    const profiles = path.join(root, "nix/var/nix/profiles");
    rmSync(path.join(profiles, "system"));
  },
  "a torn record": (root) => place(root, unchangedInputsFile, '{"v":1,'),
  "a record of another program": (root) => {
    const file = path.join(root, unchangedInputsFile);
    const record = JSON.parse(readFileSync(file, "utf8")) as object;
    writeFileSync(file, JSON.stringify({ ...record, program: "another" }));
  },
};

for (const [name, change] of Object.entries(changes)) {
  t.test(`what is not as it was takes the long way: ${name}`, { skip }, async (t) => {
    const { root, boot } = settled(t);
    t.ok(isShort(boot()));
    change(root);
    const long = boot();
    t.notOk(isShort(long), stagesOf(long).join(" "));
  });
}

t.test("a person who asks is answered the long way", { skip }, async (t) => {
  const { root } = settled(t);
  const argv = [programs.bundle, "apply", "-q", "--root", root, "--driver", "dry"];
  spawnSync(process.execPath, argv);
  const result = readFileSync(path.join(root, "run/firstlight/result.json"), "utf8");
  t.match(result, /"stage": "render"/);
});

/** What boots have left for the network side. */
function events(root: string): readonly unknown[] {
  const spool = openSpool(hostIo({ root }).files, silentLog);
  return [...spool.after(0)].flatMap((batch) =>
    batch.events.map(({ kind, body }) => [kind, withoutTimes(body)]),
  );
}

function withoutTimes(body: unknown): unknown {
  const { ms, stages, ...rest } = body as Record<string, unknown>;
  return rest;
}

/** Sources of every file of the bundle that a process loaded. */
function sourcesLoaded(coverage: string): readonly string[] {
  const dist = path.dirname(programs.bundle);
  const reports = readdirSync(coverage).map(
    (name) =>
      JSON.parse(readFileSync(path.join(coverage, name), "utf8")) as {
        readonly result: readonly { readonly url: string }[];
      },
  );
  const files = reports
    .flatMap(({ result }) => result.map(({ url }) => url))
    .filter((url) => url.startsWith("file:"))
    .map((url) => fileURLToPath(url))
    .filter((file) => file.startsWith(dist) && existsSync(`${file}.map`));
  return files.flatMap(
    (file) =>
      (JSON.parse(readFileSync(`${file}.map`, "utf8")) as { readonly sources: readonly string[] })
        .sources,
  );
}

t.test("a node that is made from a release takes the short way by that", { skip }, async (t) => {
  const { root, boot } = settled(t);
  const kept = (hostname: string) => {
    const health = { passes: 1, interval: "1ms", timeout: "5s" };
    const spec = { version: 1, hostname, health };
    const release = { path: "release/r", name: "r", number: 1, sha256: hostname.padEnd(64, "0") };
    const document = JSON.stringify({ v: 1, name: "r", number: 1, spec });
    return JSON.stringify({ v: 1, updateId: "u-1", transaction: "t", release, document });
  };
  const committed = committedFile.slice(1);
  place(root, committed, kept("aa"));
  t.match(boot(), { outcome: { outcome: "committed" } });
  t.notOk(isShort(boot()), "once by the long way");
  t.ok(isShort(boot()));
  // As long as it was: how long it is counts as told.
  place(root, "var/lib/cloud/seed/nocloud/user-data", userData.replace("edge", "mars"));
  const other = boot();
  t.ok(isShort(other), "the cloud's user-data counts no more");
  t.match(other.outcome, { outcome: "unchanged" });
  place(root, committed, kept("bb"));
  t.match(boot().outcome, { outcome: "committed" });
  place(root, committed, "{");
  t.match(boot(), { code: 1, outcome: { fault: { code: "update/release-invalid" } } });
});
