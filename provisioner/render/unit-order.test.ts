import { spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import t, { type Test } from "tap";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import type { Comment, NixExpr } from "#provisioner/nix-language/tree.ts";
import { translateCloud } from "#provisioner/userdata/sample-translation.ts";
import { renderAccountPasswords } from "./account-passwords.ts";
import type { Assignment, Concern } from "./assignment.ts";
import { renderCommands } from "./commands.ts";
import { renderFiles } from "./files.ts";
import { renderHomes } from "./homes.ts";
import { renderMadeMounts } from "./made-mounts.ts";
import { credentialsOf, plainBase } from "./try-render.ts";

/** What a unit says of others, key by key, and how long it may start. */
interface Order
  extends Readonly<Record<"after" | "before" | "wants" | "wantedBy", readonly string[]>> {
  readonly type: string | undefined;
  readonly timeout: string | undefined;
}

/** The services that are made of a spec, by name. */
function servicesOf(spec: Spec): ReadonlyMap<string, Order> {
  const concern: Concern = {
    spec,
    base: { ...plainBase, mutableUsers: true },
    credentials: credentialsOf(spec, false),
    origins: new Map(),
    instanceId: "i-0001",
    networkRenderer: { renderer: "networkd", managerRunsBy: undefined },
    findings: [],
  };
  const rendered = [
    ...renderAccountPasswords(concern),
    ...renderHomes(concern),
    ...renderFiles(concern),
    ...renderCommands(concern),
    ...renderMadeMounts(concern),
  ];
  const services = rendered.filter(({ path: option }) => option[1] === "services");
  return new Map(services.map((each) => [each.path.at(-1) ?? "", orderOf(each)]));
}

function orderOf({ value }: Assignment): Order {
  const inside = (expr: NixExpr | undefined, key: string) => {
    const found = expr?.kind === "attrs" ? expr.entries.find((each) => isNamed(each, key)) : null;
    return found?.kind === "binding" ? found.value : undefined;
  };
  const list = (key: string) => texts(inside(value, key));
  const config = inside(value, "serviceConfig");
  return {
    type: textOf(inside(config, "Type")),
    timeout: textOf(inside(config, "TimeoutStartSec")),
    after: list("after"),
    before: list("before"),
    wants: list("wants"),
    wantedBy: list("wantedBy"),
  };
}

const isNamed = (
  entry: { readonly kind: string; readonly path?: readonly unknown[] },
  key: string,
) => entry.kind === "binding" && entry.path?.join(".") === key;

function texts(expr: NixExpr | undefined): readonly string[] {
  if (expr?.kind !== "list") return [];
  return expr.items.map((item) => textOf(item) ?? "");
}

function textOf(expr: NixExpr | Comment | undefined): string | undefined {
  return expr?.kind === "string" ? expr.parts.join("") : undefined;
}

const homeDisk = `users:
  - {name: alice}
  - {name: bob, homedir: /mnt/nfs/bob}
  - {name: carol, homedir: /opt/carol}
disk_setup: {/dev/vdb: {table_type: gpt, layout: true}}
fs_setup: [{label: home, filesystem: ext4, device: /dev/vdb1}]
mounts:
  - [/dev/vdb1, /home]
  - [/dev/vdc, "/srv/with space", ext4, noauto]
  - [/dev/vdd, /srv/auto, ext4, "nofail,x-systemd.automount"]
  - ["192.0.2.9:/export", /mnt/nfs, nfs, "nofail"]
  - [/mnt/nfs/data, /srv/bound, none, "bind,nofail"]
write_files:
  - {path: /home/alice/.config/x/early.conf, content: hi, owner: "alice:alice"}
  - {path: /home/alice/.config/x/late.conf, content: hi, owner: "alice:alice", defer: true}
  - {path: "/srv/with space/a", content: hi}
  - {path: /srv/auto/a, content: hi}
  - {path: /srv/bound/a, content: hi}
  - {path: /opt/a, content: hi}
bootcmd: [date]
runcmd: [mkdir -p /home/alice/data]
`;

const spec = translateCloud(homeDisk).spec as Spec;
const allMounts = [
  "home.mount",
  "srv-with\\x20space.mount",
  "srv-auto.automount",
  "mnt-nfs.mount",
  "srv-bound.mount",
];

t.test("what comes late comes after every disk of the document, and needs none", async (t) => {
  const services = servicesOf(spec);
  for (const name of ["firstlight-commands", "firstlight-files-deferred"]) {
    const { after = [], wants = [] } = services.get(name) ?? {};
    for (const unit of ["disk-setup.service", ...allMounts]) t.ok(after.includes(unit), unit);
    t.same(wants, ["network-online.target"]);
  }
  t.ok(services.get("firstlight-commands")?.after.includes("multi-user.target"));
});

t.test("no unit but a late command, which nothing waits for, may start for ever", async (t) => {
  const services = servicesOf(spec);
  const withoutEnd = [...services].filter(([, unit]) => unit.type === "oneshot" && !unit.timeout);
  t.same(
    withoutEnd.map(([name]) => name).sort(),
    ["firstlight-command-runcmd"],
    "systemd has no limit of its own for a oneshot",
  );
  const names = ["firstlight-mounts", "firstlight-command-bootcmd", "firstlight-files"];
  for (const name of names) t.match(services.get(name)?.timeout, /^[15]min$/, name);
});

/** Nothing is made before the network: what lies on a disk of the document needs no command. */
const { commands = [] } = spec;
const withoutEarly: Spec = { ...spec, commands: commands.filter(({ when }) => when === "late") };

t.test("files wait for what they lie on, and have it mounted", async (t) => {
  const early = servicesOf(withoutEarly).get("firstlight-files");
  const on = ["home.mount", "srv-with\\x20space.mount", "srv-auto.automount"];
  t.same(early?.after, on, "not for what comes by the network, which comes after them");
  t.same(early?.wants, ["network-pre.target", "home.mount", "srv-auto.automount"]);
  const plain = servicesOf({ ...spec, files: [{ path: "/opt/a", content: "" }] });
  t.same(plain.get("firstlight-files")?.after, [], "what lies on none waits for none");
});

t.test(
  "passwords are set before anybody logs in, and before a command has the last word",
  async (t) => {
    const services = servicesOf(spec);
    const { before, after } = services.get("firstlight-passwords") ?? {};
    t.same(before, ["systemd-user-sessions.service", "sysinit-reactivation.target"]);
    t.same(after, ["systemd-sysusers.service", "userborn.service"], "whoever makes the accounts");
    const early = services.get("firstlight-command-bootcmd");
    t.ok(early?.after.includes("firstlight-passwords.service"));
    const { users: _, ...without } = spec;
    const command = servicesOf(without).get("firstlight-command-bootcmd");
    t.same(command?.after, ["firstlight-files.service"]);
  },
);

t.test("an early command may make a disk: it comes before what lies on one", async (t) => {
  const services = servicesOf(spec);
  const command = "firstlight-command-bootcmd.service";
  const none = services.get("firstlight-files");
  t.same(none?.after, [], "what lies on none is there for the command");
  t.ok(services.get("firstlight-command-bootcmd")?.after.includes("firstlight-files.service"));
  t.same(services.get("firstlight-mounts")?.after, [command]);
  for (const name of ["firstlight-files-mounted", "firstlight-homes"]) {
    const { after = [], before = [], wantedBy } = services.get(name) ?? {};
    for (const unit of [command, "firstlight-mounts.service", "home.mount"])
      t.ok(after.includes(unit), `${name} after ${unit}`);
    t.notOk(before.includes("firstlight-files.service"), "for which the command waits");
    t.ok(wantedBy?.includes("sysinit-reactivation.target"));
  }
  t.ok(services.get("firstlight-homes")?.before.includes("firstlight-files-mounted.service"));
  t.ok(services.get("firstlight-files-mounted")?.before.includes("network-pre.target"));
  for (const name of ["firstlight-command-bootcmd", "firstlight-passwords", "firstlight-mounts"])
    t.ok(services.get(name)?.wantedBy.includes("sysinit-reactivation.target"), "also in a switch");
  for (const name of ["firstlight-commands", "firstlight-files-deferred"])
    t.ok(services.get(name)?.after.includes("firstlight-files-mounted.service"), name);
  const plain = servicesOf(withoutEarly);
  t.notOk(plain.has("firstlight-mounts"));
  t.notOk(plain.has("firstlight-files-mounted"));
  t.notOk(servicesOf({ ...spec, mounts: [] }).has("firstlight-mounts"));
});

t.test("homes are made on their mounts, before what is written into them", async (t) => {
  const { after, before, wants } = servicesOf(withoutEarly).get("firstlight-homes") ?? {};
  t.same(after, ["home.mount"]);
  t.same(wants, ["home.mount"]);
  for (const unit of ["firstlight-files.service", "systemd-user-sessions.service"])
    t.ok(before?.includes(unit), unit);
  const late = servicesOf(spec).get("firstlight-homes-deferred");
  t.same(late?.after, ["mnt-nfs.mount"]);
  t.ok(late?.before.includes("firstlight-files-deferred.service"));
  const managed: Spec = { ...spec, home: { alice: {} } };
  t.ok(servicesOf(managed).get("firstlight-homes")?.before.includes("home-manager-alice.service"));
  const unmounted: Spec = { ...spec, mounts: [{ device: "/dev/vdb", path: "/homes" }] };
  t.notOk(servicesOf(unmounted).has("firstlight-homes"), "NixOS makes those");
});

t.test("files on a mount that waits for the network are written after it", async (t) => {
  const written = (mount: NonNullable<Spec["mounts"]>[number], file = "/data/a") => [
    ...servicesOf({ version: 1, mounts: [mount], files: [{ path: file, content: "" }] }).keys(),
  ];
  const late = ["firstlight-files-deferred"];
  const local = { device: "/dev/vdb", path: "/data/" };
  t.same(written(local), ["firstlight-files"]);
  t.same(written({ ...local, options: ["_netdev"] }), late);
  t.same(written({ ...local, options: ["x-systemd.requires=iscsi.service"] }), late);
  t.same(written({ device: "u@h:/", path: "/data", type: "fuse.sshfs" }), late);
  t.same(written({ device: "h:/", path: "/data", type: "nfs4" }, "/database/a"), [
    "firstlight-files",
  ]);
});

const analyze = spawnSync("systemd-analyze", ["--version"]).status === 0;
const generator = "/usr/lib/systemd/system-generators/systemd-fstab-generator";
const skip = analyze ? false : "SKIPPED: systemd-analyze is not here";

/** Lays units out as NixOS does, and has systemd put a boot together from them. */
function complaints(t: Test, services: ReadonlyMap<string, Order>): string {
  const root = t.testdir();
  const units = path.join(root, "units");
  mkdirSync(units);
  for (const [name, order] of services) {
    const lines = (["After", "Before", "Wants"] as const).map((key) => {
      const named = order[key.toLowerCase() as "after" | "before" | "wants"];
      return `${key}=${named.join(" ")}\n`;
    });
    const own = `[Unit]\n${lines.join("")}[Service]\nType=oneshot\nExecStart=/bin/true\n`;
    writeFileSync(path.join(units, `${name}.service`), own);
    for (const target of order.wantedBy) {
      mkdirSync(path.join(units, `${target}.wants`), { recursive: true });
      symlinkSync(`../${name}.service`, path.join(units, `${target}.wants`, `${name}.service`));
    }
  }
  for (const [name, { text = "" }] of Object.entries(spec.units ?? {}))
    writeFileSync(path.join(units, name), text.replace("%d/", "/"));
  writeFileSync(path.join(units, "sysinit-reactivation.target"), "[Unit]\nDescription=x\n");
  const fstab = (spec.mounts ?? []).map(({ device, path: place, type = "auto", options = [] }) => {
    return `${device} ${place.replaceAll(" ", "\\040")} ${type} ${options.join(",")} 0 0\n`;
  });
  writeFileSync(path.join(root, "fstab"), fstab.join(""));
  const env = { ...process.env, SYSTEMD_FSTAB: path.join(root, "fstab") };
  const made = spawnSync(generator, [units, units, units], { env, encoding: "utf8" });
  t.equal(made.status, 0, made.stderr);
  const { stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", "multi-user.target"], {
    env: { ...process.env, SYSTEMD_UNIT_PATH: `${units}:` },
    encoding: "utf8",
  });
  return stderr
    .split("\n")
    .filter((line) => /cycle|break/i.test(line))
    .join("\n");
}

t.test("systemd finds no circle in it", { skip }, async (t) => {
  t.equal(complaints(t, servicesOf(spec)), "");
  // That the look finds one where there is one: files before the network, on what comes by it.
  const files = servicesOf(spec).get("firstlight-files");
  const wrong = { ...(files as Order), after: ["mnt-nfs.mount"] };
  t.match(complaints(t, new Map([["firstlight-files", wrong]])), /cycle/);
});
