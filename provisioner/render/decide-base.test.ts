import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { type FakeIo, fakeIo } from "#core/fake-io.ts";
import { hostFiles } from "#core/host-files.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import { genericFacts } from "#provisioner/facts/generic-facts.ts";
import { compileHandMade } from "#provisioner/profiles/compile.ts";
import { systemPaths } from "#provisioner/system/paths.ts";
import { publishSources } from "#provisioner/system/publish.ts";
import { writeSources } from "#provisioner/system/write-sources.ts";
import type { Base } from "./base.ts";
import { decideBase, proposeBase, recordBase } from "./decide-base.ts";
import { tryRender } from "./try-render.ts";

const repository = new URL("../..", import.meta.url).pathname;
const plainFacts = genericFacts("x86_64");
const facts: Facts = { ...plainFacts, firmware: { ...plainFacts.firmware, type: "device-tree" } };

interface Asked {
  readonly mutableUsers?: boolean;
  readonly facts?: Facts;
  readonly settings?: { readonly [key: string]: string };
}

/** Commits a system that stands on the base. */
function record(io: FakeIo, base: Base): void {
  proposeBase(io, base, "d");
  recordBase(io, "d");
}

/** What a machine with one disk has mounted. */
const mountinfo = "30 1 254:2 / / rw,relatime shared:1 - ext4 /dev/vda2 rw\n";

function decide(io: FakeIo, asked: Asked = {}): Base {
  return decideBase({
    io,
    facts: asked.facts ?? facts,
    profile: null,
    mutableUsers: asked.mutableUsers,
    settings: asked.settings ?? { stateVersion: "25.11" },
    agentModule: [],
  });
}

/** A machine with these files below /etc/nixos. */
function machine(t: { testdir(): string }, files: Readonly<Record<string, string>>): FakeIo {
  const root = t.testdir();
  mkdirSync(path.join(root, "proc/self"), { recursive: true });
  writeFileSync(path.join(root, "proc/self/mountinfo"), mountinfo);
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(root, "etc/nixos", name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return fakeIo(root);
}

const own = {
  "configuration.nix": "{ imports = [ ./hardware-configuration.nix ./modules/a.nix ]; }\n",
  "hardware-configuration.nix": "{ }\n",
  "modules/a.nix": "{ }\n",
  "local.nix": '{ time.timeZone = "UTC"; }\n',
  ".git/HEAD": "ref: refs/heads/main\n",
};

t.test(
  "a machine's own configuration is adopted whole, and nothing in it is touched",
  async (t) => {
    const io = machine(t, own);
    const base = decide(io);
    t.equal(base.kind, "adopted");
    t.same(
      base.files.map((file) => file.path),
      ["configuration.nix", "hardware-configuration.nix", "modules/a.nix"],
    );
    t.equal(base.local, own["local.nix"]);
    t.equal(base.mutableUsers, null, "its own word about users stands");
    for (const [name, text] of Object.entries(own)) {
      t.equal(readFileSync(path.join(io.files.root, "etc/nixos", name), "utf8"), text, name);
    }
    t.same(io.effects, [], "also nothing else");
    proposeBase(io, base, "d");
    recordBase(io, "of others");
    t.same(io.effects, ["write /var/lib/firstlight/base/on-trial.json"]);
    recordBase(io, "d");
    t.same(io.effects.slice(1), [
      "write /var/lib/firstlight/base/base.json",
      "remove /var/lib/firstlight/base/on-trial.json",
    ]);
  },
);

t.test(
  "after publishing, the second decision is the same, with its record and without",
  async (t) => {
    const io = machine(t, own);
    const first = decide(io);
    const { sources } = tryRender({ hostname: "edge-17" }, { base: first });
    const paths = systemPaths({});
    record(io, first);
    writeSources(io.files, paths.sources, sources);
    publishSources(io.files, paths, sources.digest);
    t.match(io.files.readLink("/etc/nixos/configuration.nix"), /firstlight\/sources/);
    const effects = io.effects.length;
    t.same(decide(io), first);
    t.equal(io.effects.length, effects, "nothing is written");
    t.equal(
      tryRender({ hostname: "edge-17" }, { base: decide(io) }).sources.digest,
      sources.digest,
    );

    io.files.remove("/var/lib/firstlight/base/base.json");
    t.same(decide(io), first, "what was adopted stands in what was published");
  },
);

t.test("a directory firstlight of a person's own is part of it, our link is not", async (t) => {
  const io = machine(t, {
    "configuration.nix": "{ imports = [ ./firstlight/nixos/module.nix ]; }\n",
    "firstlight/nixos/module.nix": "{ }\n",
  });
  const paths = decide(io).files.map((file) => file.path);
  t.same(paths, ["configuration.nix", "firstlight/nixos/module.nix"]);
  io.files.rename("/etc/nixos/firstlight", "/etc/nixos/firstlight.before-firstlight");
  io.files.link("../../var/lib/firstlight/sources/0/firstlight", "/etc/nixos/firstlight");
  t.same(
    decide(io).files.map((file) => file.path),
    ["configuration.nix"],
  );
});

t.test("until a base is recorded it is decided anew, and the same when it is", async (t) => {
  const io = machine(t, { "configuration.nix": "{ broken\n" });
  t.equal(decide(io).files[0]?.content, "{ broken\n");
  io.files.write("/etc/nixos/configuration.nix", "{ }\n");
  const settings = { zone: "b", datasources: "a", stateVersion: "25.05" };
  const mended = decide(io, { settings });
  t.equal(mended.files[0]?.content, "{ }\n");
  t.equal(mended.stateVersion, "25.05");
  const digestOf = (base: Base) => tryRender({}, { base }).sources.digest;
  record(io, mended);
  t.equal(digestOf(decide(io, { settings: { stateVersion: "26.05" } })), digestOf(mended));
  const effects = io.effects.length;
  record(io, { ...mended, stateVersion: "26.05" });
  t.equal(io.effects.length, effects, "once");
  t.equal(decide(io).stateVersion, "25.05");
});

t.test(
  "what is decided once stays: release, users, settings; the owner's file is read anew",
  async (t) => {
    const io = machine(t, {});
    const first = decide(io, {
      mutableUsers: false,
      settings: { stateVersion: "25.05", defaultUser: "a" },
    });
    record(io, first);
    io.files.write("/etc/nixos/local.nix", "{ }\n");
    const second = decide(io, { mutableUsers: true, settings: { stateVersion: "26.05" } });
    t.same(second, { ...first, local: "{ }\n" });
  },
);

t.test(
  "a release that nothing tells is a fault, and one that the running system tells is taken",
  async (t) => {
    const io = machine(t, {});
    t.throws(() => decide(io, { settings: {} }), { code: "base/no-release" });
    io.files.write("/etc/os-release", 'ID=nixos\nVERSION_ID="25.05"\n');
    t.equal(decide(io, { settings: {} }).stateVersion, "25.05");
  },
);

t.test("a configuration that cannot be taken over whole is never passed over", async (t) => {
  const refused: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
    ["a flake", { "flake.nix": "{ }" }, /found only a flake/],
    ["modules without an entry", { "hardware-configuration.nix": "{ }" }, /found only hardware/],
    [
      "bytes that are no text",
      { "configuration.nix": "{ }", "image.bin": "\uffff" },
      /expected UTF-8/,
    ],
  ];
  for (const [name, files, message] of refused) {
    await t.test(name, async (t) => {
      const io = machine(t, files);
      if (files["image.bin"] !== undefined)
        io.files.write("/etc/nixos/image.bin", new Uint8Array([255, 254]));
      t.throws(() => decide(io), { code: "base/adopt", message });
      t.equal(io.files.stat("/var/lib/firstlight/base/base.json"), undefined, "nothing is decided");
    });
  }
});

t.test("links are followed, also to other directories; a link to nothing is refused", async (t) => {
  const io = machine(t, { "configuration.nix": "{ }\n" });
  const root = io.files.root;
  io.files.write("/home/alice/nixos/shared/a.nix", "{ }\n");
  symlinkSync("../../home/alice/nixos/shared", path.join(root, "etc/nixos/shared"));
  t.same(
    decide(io).files.map((file) => file.path),
    ["configuration.nix", "shared/a.nix"],
  );
  renameSync(path.join(root, "home/alice/nixos"), path.join(root, "home/alice/moved"));
  t.throws(() => decide(io), { code: "base/adopt", message: /a link to nothing/ });
});

t.test("a directory that holds itself ends", async (t) => {
  const io = machine(t, { "configuration.nix": "{ }\n" });
  symlinkSync(".", path.join(io.files.root, "etc/nixos/again"));
  t.throws(() => decide(io), { code: "base/adopt", message: /directories deep/ });
});

t.test("a damaged record, and damaged pins, are faults", async (t) => {
  const io = machine(t, {});
  io.files.write("/var/lib/firstlight/base/base.json", "{");
  t.throws(() => decide(io), { code: "base/damaged" });
  io.files.write("/etc/firstlight/pins.json", '{"nixpkgs":{}}');
  t.throws(() => decide(io), { code: "base/pins" });
});

t.test("an import that the pinned nixos-hardware has not is told", async (t) => {
  const io = machine(t, {});
  const write = (file: string, text: string) => io.files.write(`/${file}`, text);
  const pin = { storePath: "/nix/store/x-hw", narHash: null, revision: null };
  write("etc/firstlight/pins.json", JSON.stringify({ "nixos-hardware": pin }));
  const [generic] = compileHandMade(
    hostFiles(repository, () => {}),
    "/hardware-profiles",
  ).compiled.profiles;
  if (generic === undefined) throw new Error("expected a profile");
  const imports = ["acme/old", "acme/new"];
  const profile = { ...generic, nixos: { ...generic.nixos, imports } };
  const decided = () =>
    decideBase({
      io,
      facts,
      profile,
      mutableUsers: undefined,
      settings: { stateVersion: "25.11" },
      agentModule: [],
    }).absentImports;
  t.equal(decided(), undefined, "the tree is not on this machine");
  write("nix/store/x-hw/acme/old/default.nix", "{ }\n");
  t.same(decided(), ["acme/new"]);
  write("nix/store/x-hw/acme/new/intel/default.nix", "{ }\n");
  t.same(decided(), ["acme/new"], "a directory that Nix cannot import");
  write("nix/store/x-hw/acme/new/default.nix", "{ }\n");
  t.equal(decided(), undefined);
  io.files.link("new", "/nix/store/x-hw/acme/old.link");
  imports[0] = "acme/old.link";
  t.equal(decided(), undefined, "a link to one");
});
