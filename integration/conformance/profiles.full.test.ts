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

t.setTimeout(600_000);

/**
 * What each profile may be given to, told from the strings apart from the rules under test: vendor,
 * product, family, version, part number, then vendor, name and version of the board. What no row is
 * about gets none.
 */
const owners: Readonly<Record<string, (strings: readonly string[]) => boolean>> = {
  "framework/12-13th-gen-intel": (strings) => isFramework(strings, "Laptop 12 (13th Gen"),
  "framework/13-11th-gen-intel": ([vendor, product]) =>
    vendor === "Framework" && product === "Laptop",
  "framework/13-12th-gen-intel": (strings) => isFramework(strings, "Laptop (12th Gen"),
  "framework/13-13th-gen-intel": (strings) => isFramework(strings, "Laptop (13th Gen"),
  "framework/13-amd-7040": (strings) => isFramework(strings, "Laptop 13 (AMD Ryzen 7040"),
  "framework/13-amd-ai-300": (strings) => isFramework(strings, "Laptop 13 (AMD Ryzen AI 300"),
  "framework/13-core-ultra-1": (strings) => isFramework(strings, "Laptop 13 (Intel Core Ultra"),
  "framework/13-pro-core-ultra-3": (strings) => isFramework(strings, "Laptop 13 Pro (Intel"),
  "framework/16-amd-7040": (strings) => isFramework(strings, "Laptop 16 (AMD Ryzen 7040"),
  "framework/16-amd-ai-300": (strings) => isFramework(strings, "Laptop 16 (AMD Ryzen AI 300"),
  "framework/desktop-amd-ai-max-300": (strings) => isFramework(strings, "Desktop (AMD Ryzen AI"),
  "nvidia/jetson-orin": ([, product = ""]) => /^NVIDIA .*Orin/.test(product),
  "raspberry-pi/3": (strings) => strings.some((text) => text.startsWith("Raspberry Pi 3 Model")),
  "raspberry-pi/4": (strings) => strings.some((text) => text.startsWith("Raspberry Pi 4 Model B")),
  "asus/nuc": ([vendor, product = ""]) => /^ASUS/.test(vendor ?? "") && /^NUC/.test(product),
  "dell/optiplex-micro": ([, product = ""]) => /^OptiPlex (\d+M$|Micro )/.test(product),
  "dell/wyse": ([, product = ""]) => /Wyse (?!5470$)|^OptiPlex .*Thin Client/.test(product),
  "digitalocean/droplet": ([vendor]) => vendor === "DigitalOcean",
  "generic/nas": ([vendor, product, family]) =>
    `${vendor} ${product}` === "TB WTR R1" || family === "UGREEN NAS",
  "generic/router": ([vendor, product = ""]) =>
    /^CW-.*\dL/.test(product) || (vendor === "Sophos" && product === "SG"),
  "google/gce": ([, product]) => product === "Google Compute Engine",
  "hetzner/cloud": ([vendor, product]) => vendor === "Hetzner" && product === "vServer",
  "hetzner/dedicated": ([vendor, product]) => vendor === "Hetzner" && product !== "vServer",
  "hp/t640": ([, product = ""]) => product.startsWith("HP t640 "),
  "hp/t6xx": ([, product = ""]) => /^HP t6(?!40)\d\d /.test(product),
  "intel/nuc": ([, , , , , vendor = "", board = ""]) =>
    /^intel corporation$/i.test(vendor) && /^(NUC\d|DN?[0-9E]+(WY|TY|GK|CK|FY))/.test(board),
  "lenovo/thinkcentre-tiny": ([, product = "", , version = ""]) =>
    /^ThinkCentre .*\dq( |-|$)|^ThinkCentre M(53|600|630e|920x)$/.test(version) ||
    /^M(73 10A[XY]|93p 10A[AB]|700 (10HY|10J0)|900 10F[LM])/.test(
      `${version.slice("ThinkCentre ".length)} ${product}`,
    ),
  "lenovo/thinkpad": ([vendor, , , version = ""]) =>
    vendor === "LENOVO" && /^ThinkPad/.test(version) && !version.includes("X13s"),
  "microsoft/hyper-v": ([, product]) => product === "Virtual Machine",
  "onlogic/industrial": ([vendor]) => vendor === "OnLogic" || vendor === "Logic Supply",
  "pc-engines/apu": ([vendor]) => vendor === "PC Engines",
  "protectli/fw": ([vendor, product = ""]) => vendor === "Protectli" && /^FW/.test(product),
  "protectli/vp": ([vendor, product = ""]) => vendor === "Protectli" && /^VP/.test(product),
  "virtualbox/vm": ([, product]) => product === "VirtualBox",
  "vmware/vm": ([vendor = ""]) => vendor.startsWith("VMware"),
  "vultr/vc2": ([vendor]) => vendor === "Vultr",
  "raspberry-pi/5": (strings) => strings.some((text) => text.startsWith("Raspberry Pi 5")),
  "qemu/kvm": ([vendor, product]) =>
    vendor === "QEMU" || (vendor === "Red Hat" && product === "KVM"),
  "amazon/ec2": ([vendor]) => vendor === "Amazon EC2",
};

function isFramework([vendor, product = ""]: readonly string[], beginning: string): boolean {
  return vendor === "Framework" && product.startsWith(beginning);
}

/** How many of the real machines get which profile, and how sure that is: all that there are of it. */
const counted: Readonly<Record<string, number>> = {
  "framework/13-11th-gen-intel certain": 41,
  "framework/13-12th-gen-intel certain": 18,
  "framework/13-13th-gen-intel certain": 8,
  "framework/13-amd-7040 certain": 26,
  "framework/16-amd-7040 certain": 19,
  // Their strings do not say which processor they have.
  "nvidia/jetson-orin likely": 5,
  "asus/nuc certain": 5,
  "dell/optiplex-micro certain": 17,
  "dell/wyse likely": 25,
  "generic/nas certain": 1,
  // Their boards are placeholders.
  "generic/nas likely": 2,
  "generic/router certain": 4,
  "generic/router likely": 1,
  "hetzner/dedicated certain": 11,
  "hp/t640 certain": 2,
  "hp/t6xx certain": 31,
  // Their strings do not say which processor they have.
  "intel/nuc likely": 470,
  "lenovo/thinkcentre-tiny certain": 179,
  "lenovo/thinkpad certain": 5087,
  "onlogic/industrial certain": 2,
  "pc-engines/apu certain": 18,
  "protectli/fw certain": 3,
  "protectli/vp certain": 1,
};

/** Whose a machine is by the table. */
function ownerOf(strings: readonly string[]): string | null {
  return Object.keys(owners).find((id) => owners[id]?.(strings)) ?? null;
}

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
      const expected = ownerOf(strings);
      if (profile !== expected)
        wrong.push(`${machine.join(" | ")}: expected ${expected}, got ${profile} (${confidence})`);
      const key = `${profile} ${confidence}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    t.same(wrong.slice(0, 20), [], "none is wrong");
    for (const [key, count] of Object.entries(counted)) t.equal(counts.get(key), count, key);
    const frameworks = [...counts].filter(([key]) => key.startsWith("framework/"));
    t.equal(
      frameworks.reduce((sum, [, count]) => sum + count, 0),
      machines.filter(([, vendor]) => vendor === "Framework").length,
      "every Framework and nothing else",
    );
    t.equal(
      [...counts.keys()].filter((key) => /disputed|ambiguous/.test(key)).length,
      0,
      "none is in doubt",
    );
  },
);

t.test("vendors that make more than one thing are told apart by something else", async (t) => {
  const machine = (vendor: string, product: string, board = "") =>
    matchIdentity(["x", vendor, product, "", "", "", vendor, board, "", ""], compiled).profile;
  t.equal(machine("Microsoft Corporation", "Surface Laptop 4", "Surface Laptop 4"), null);
  t.equal(machine("Google", "Eve", "Eve"), null, "a Chromebook");
  t.equal(machine("Hetzner", "", "B450D4U-V1L"), "hetzner/dedicated");
  t.equal(machine("Hetzner", "vServer"), "hetzner/cloud");
});

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
    "mic92-machines-dorits-laptop": ["framework/13-13th-gen-intel", "certain"],
    "mic92-machines-eva": ["generic/arm-vm", "certain"],
    "mic92-machines-matchbox": ["generic/nas", "certain"],
    "mic92-machines-utm-vm": ["generic/arm-vm", "certain"],
    "nix-community-hosts-basic-report": ["qemu/kvm", "certain"],
    "wg-lux": ["generic/laptop", "generic"],
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
    t.equal(profile, ownerOf(strings), name);
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
