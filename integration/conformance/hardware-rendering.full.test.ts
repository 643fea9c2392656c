import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { hostIo } from "#core/host-io.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import { factsFromFacter, isFacterReport } from "#provisioner/facts/facter.ts";
import { sharedDataDirectory } from "#provisioner/nixos-options/option-list.ts";
import { compileProfiles } from "#provisioner/profiles/compile.ts";
import { matchProfile } from "#provisioner/profiles/match.ts";
import { sampleBareMetal, sampleCard } from "#provisioner/render/sample-machine.ts";
import { fileOf, noMatch, tryRender } from "#provisioner/render/try-render.ts";
import { nixParses, nixParsesAll, skipWithoutNix } from "../nix-eval.ts";

const root = new URL("../..", import.meta.url).pathname;
const { compiled } = compileProfiles(hostIo({ root }).files, "/hardware-profiles");
const reports = path.join(sharedDataDirectory() ?? "", "hardware/reports");
const skip = existsSync(reports)
  ? false
  : "the real machines are not on this machine (../shared/data/hardware)";

/** Machines whose reports hold what is on their buses. */
const facter: readonly (readonly [name: string, facts: Facts])[] =
  skip !== false
    ? []
    : readdirSync(reports)
        .filter((name) => name.endsWith(".facter.json"))
        .flatMap((name) => {
          const value: unknown = JSON.parse(readFileSync(path.join(reports, name), "utf8"));
          return isFacterReport(value) ? [[name, factsFromFacter(value)] as const] : [];
        });

function hardwareOf(facts: Facts, disks: readonly string[]) {
  const match = matchProfile(facts, compiled);
  const base = { root: { disks, layers: [], untold: [] } };
  const result = tryRender({}, { facts, match, profiles: compiled, base });
  return { text: fileOf(result, "firstlight/hardware.nix"), findings: result.findings };
}

t.test("the initial RAM disk of every reported machine reaches every disk", { skip }, async (t) => {
  t.equal(facter.length, 6);
  for (const [name, facts] of facter) {
    const disks = facts.blockDevices ?? [];
    t.ok(disks.length > 0, name);
    for (const disk of disks) {
      const { text, findings } = hardwareOf({ ...facts, blockDevices: [disk] }, [disk.name]);
      t.same(
        findings.filter(({ code }) => code.startsWith("render/initrd")),
        [],
        `${name}: ${disk.name}`,
      );
      for (const module of disk.modules)
        t.match(text, `"${module}"`, `${name}: ${module} of ${disk.name}`);
    }
  }
});

const pin = { storePath: "/nix/store/hardware", narHash: null, revision: null };
/** What is rendered for every profile, by a name that says of which and how. */
const rendered = new Map<string, string>();

t.test("every profile that ships renders, on a PC and in a guest", async (t) => {
  const machines = [
    sampleBareMetal(10, { pci: [sampleCard("0000:01:00.0", "10de:2820")] }),
    sampleBareMetal(null, { virtualisation: "kvm" }),
  ];
  t.ok(compiled.profiles.length > 250, `${compiled.profiles.length} profiles`);
  for (const { id } of compiled.profiles.filter(({ kind }) => kind === "model")) {
    for (const [at, facts] of machines.entries()) {
      const match = { ...noMatch, profile: id, applied: id };
      for (const unfree of [[], ["nvidia-x11"]]) {
        const base = unfree.length === 0 ? {} : { pins: { "nixos-hardware": pin } };
        // Throws where an option is none of NixOS, or its value does not fit.
        const result = tryRender({ unfree }, { facts, match, profiles: compiled, base });
        const text = fileOf(result, "firstlight/hardware.nix");
        rendered.set(`${id}/${at === 0 ? "pc" : "guest"}${unfree.join("")}.nix`, text);
        t.match(text, "nixpkgs.hostPlatform", id);
        const isAlwaysOn = (daemon: string) =>
          new RegExp(`${daemon}\\.enable = lib\\.mk[A-Za-z]+( 900)? true;`).test(text);
        const both = isAlwaysOn("power-profiles-daemon") && isAlwaysOn("tlp");
        t.equal(both, false, `${id}: one daemon for power`);
      }
    }
  }
});

t.test(
  "all of that is Nix, with and without what is imported",
  { skip: skipWithoutNix() },
  async (t) => {
    const models = compiled.profiles.filter(({ kind }) => kind === "model");
    t.equal(rendered.size, models.length * 4);
    for (const { id, nixos } of models)
      for (const name of nixos.imports)
        t.match(rendered.get(`${id}/pcnvidia-x11.nix`), `"${pin.storePath}/${name}"`, id);
    t.match(nixParsesAll(Object.fromEntries(rendered)), { ok: true });
  },
);

t.test("two graphics cards have the addresses of the reported machine", { skip }, async (t) => {
  const two = facter.filter(([, { pci }]) => {
    const cards = pci?.filter((device) => device.class?.startsWith("03")) ?? [];
    return cards.some(({ vendor }) => vendor === "10de") && cards.length > 1;
  });
  t.same(
    two.map(([name]) => name),
    ["wg-lux.facter.json"],
  );
  for (const [, facts] of two) {
    const { text } = hardwareOf(facts, []);
    t.match(text, 'nvidiaBusId = lib.mkOverride 900 "PCI:1:0:0";');
    t.match(text, 'intelBusId = lib.mkOverride 900 "PCI:0:2:0";');
    t.match(text, "open = lib.mkOverride 900 true;", "an RTX 4070");
  }
});

t.test(
  "what is rendered for a reported machine is Nix",
  { skip: skip || skipWithoutNix() },
  async (t) => {
    for (const [name, facts] of facter)
      t.match(nixParses(hardwareOf(facts, []).text), { ok: true }, name);
  },
);
