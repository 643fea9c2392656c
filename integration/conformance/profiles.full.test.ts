import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import t from "tap";
import { hostIo } from "#core/host-io.ts";
import { validate } from "#generated/provisioner/facts/facts.validate.js";
import { factsFromFacter, isFacterReport } from "#provisioner/facts/facter.ts";
import { sharedDataDirectory } from "#provisioner/nixos-options/option-list.ts";
import { compileHandMade } from "#provisioner/profiles/compile.ts";
import { matchIdentity, parseIdentity } from "#provisioner/profiles/identity.ts";
import { knownText } from "#provisioner/profiles/known-text.ts";
import { matchProfile } from "#provisioner/profiles/match.ts";

const root = new URL("../..", import.meta.url).pathname;
// The declared ones have a test of their own.
const { compiled } = compileHandMade(hostIo({ root }).files, "/hardware-profiles");
const hardware = path.join(sharedDataDirectory() ?? "", "hardware");
const skip = existsSync(hardware)
  ? false
  : "the real machines are not on this machine (../shared/data/hardware)";

/** What each profile may be given to, told from the strings apart from the rules under test. */
const owners: Readonly<Record<string, (strings: readonly string[]) => boolean>> = {
  "framework/13-amd-7040": ([vendor, product = ""]) =>
    vendor === "Framework" && product.includes("13 (AMD Ryzen 7040"),
  "raspberry-pi/4": (strings) => strings.some((text) => text.startsWith("Raspberry Pi 4 Model B")),
  "qemu/kvm": ([vendor, product]) =>
    vendor === "QEMU" || (vendor === "Red Hat" && product === "KVM"),
  "amazon/ec2": ([vendor]) => vendor === "Amazon EC2",
};

t.test(
  "of all real machines each gets its profile, and no other does",
  { skip, timeout: 300_000 },
  async (t) => {
    const lines = gunzipSync(readFileSync(path.join(hardware, "identities.jsonl.gz")))
      .toString("utf8")
      .split("\n");
    const machines = lines
      .filter((line) => line !== "")
      .map((line) => parseIdentity(JSON.parse(line)));
    t.ok(machines.length > 80_000, `${machines.length} machines`);
    const counts = new Map<string, number>();
    const wrong: string[] = [];
    for (const machine of machines) {
      const [, ...strings] = machine;
      const { profile, confidence } = matchIdentity(machine, compiled);
      const expected = Object.keys(owners).find((id) => owners[id]?.(strings)) ?? null;
      if (profile !== expected)
        wrong.push(`${machine.join(" | ")}: expected ${expected}, got ${profile} (${confidence})`);
      const key = `${profile} ${confidence}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    t.same(wrong.slice(0, 20), [], "none is wrong");
    t.equal(
      counts.get("framework/13-amd-7040 certain"),
      26,
      "every Framework 13 (Ryzen 7040), with both witnesses",
    );
    t.equal(
      [...counts.keys()].filter((key) => /disputed|ambiguous/.test(key)).length,
      0,
      "none is in doubt",
    );
  },
);

t.test(
  "placeholders are told from names in nearly every real machine",
  { skip, timeout: 300_000 },
  async (t) => {
    const lines = gunzipSync(readFileSync(path.join(hardware, "identities.jsonl.gz")))
      .toString("utf8")
      .split("\n");
    let usable = 0;
    let all = 0;
    for (const line of lines) {
      if (line === "") continue;
      const strings = parseIdentity(JSON.parse(line));
      all += 1;
      if (knownText(strings[2] ?? null) !== null || knownText(strings[7] ?? null) !== null)
        usable += 1;
    }
    t.ok(usable / all > 0.99, `${usable} of ${all} have a product or board name`);
  },
);

t.test("reports of nixos-facter give facts and the right profile", { skip }, async (t) => {
  const expected: Readonly<Record<string, readonly [string | null, string]>> = {
    "mic92-machines-dorits-laptop": ["generic/x86-64", "generic"],
    "mic92-machines-eva": ["qemu/kvm", "certain"],
    "mic92-machines-matchbox": ["generic/x86-64", "generic"],
    "mic92-machines-utm-vm": ["qemu/kvm", "certain"],
    "nix-community-hosts-basic-report": ["qemu/kvm", "certain"],
    "wg-lux": ["generic/x86-64", "generic"],
  };
  const reports = path.join(hardware, "reports");
  const names = readdirSync(reports).filter((name) => name.endsWith(".facter.json"));
  t.ok(names.length > 0);
  for (const name of names) {
    const report: unknown = JSON.parse(readFileSync(path.join(reports, name), "utf8"));
    t.ok(isFacterReport(report), name);
    if (!isFacterReport(report)) continue;
    const facts = factsFromFacter(report);
    t.ok(validate(facts), `${name} fits the schema`, { errors: validate.errors });
    t.ok(
      (facts.blockDevices ?? []).length > 0 && facts.memoryBytes !== undefined,
      `${name} has disks`,
    );
    const { profile, confidence } = matchProfile(facts, compiled);
    const wanted = expected[name.replace(".facter.json", "")];
    if (wanted !== undefined) t.same([profile, confidence], wanted, name);
  }
});

t.test("dumps of dmidecode give the right profile", { skip }, async (t) => {
  const reports = path.join(hardware, "reports");
  const names = readdirSync(reports).filter((name) => name.endsWith(".dmidecode.txt"));
  t.ok(names.length > 0);
  for (const name of names) {
    const strings = stringsOfDump(readFileSync(path.join(reports, name), "utf8"));
    const { profile } = matchIdentity(parseIdentity([name, ...strings]), compiled);
    const expected = Object.keys(owners).find((id) => owners[id]?.(strings)) ?? null;
    t.equal(profile, expected, name);
  }
});

/** The strings of an identity from a dump of dmidecode. */
function stringsOfDump(dump: string): readonly string[] {
  const section = (title: string) =>
    dump.split(/\n\n/).find((part) => part.includes(`\n${title}\n`)) ?? "";
  const value = (title: string, field: string) =>
    new RegExp(`^\t${field}: (.*)$`, "m").exec(section(title))?.[1]?.trim() ?? "";
  const system = ["Manufacturer", "Product Name", "Family", "Version", "SKU Number"];
  const board = ["Manufacturer", "Product Name", "Version"];
  return [
    ...system.map((field) => value("System Information", field)),
    ...board.map((field) => value("Base Board Information", field)),
    value("Chassis Information", "Type"),
  ];
}
