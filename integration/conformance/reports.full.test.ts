import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import { readFacts } from "#agent/facts/read-facts.ts";
import { hostIo } from "#core/host-io.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import { validate } from "#generated/provisioner/facts/facts.validate.js";
import { factsFromFacter, isFacterReport } from "#provisioner/facts/facter.ts";
import { sharedDataDirectory } from "#provisioner/nixos-options/option-list.ts";
import { compileProfiles } from "#provisioner/profiles/compile.ts";
import { matchProfile } from "#provisioner/profiles/match.ts";
import type { Match } from "#provisioner/profiles/profile.ts";
import { tryRender } from "#provisioner/render/try-render.ts";
import { machineOfReport, readDump, readTable } from "../machines/smbios-report.ts";
import { writeMachine } from "../machines/write-machine.ts";

t.setTimeout(300_000);
const root = new URL("../..", import.meta.url).pathname;
const { compiled } = compileProfiles(hostIo({ root }).files, "/hardware-profiles");
const reports = path.join(sharedDataDirectory() ?? "", "hardware/reports");
const skip = existsSync(reports)
  ? false
  : "the real machines are not on this machine (../shared/data/hardware)";

/** Facts of a report, through the same readers as on the machine itself. */
function factsOf(name: string): Facts {
  const file = path.join(reports, name);
  if (name.endsWith(".facter.json")) {
    const report: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (!isFacterReport(report)) throw new Error(`${name}: no report of nixos-facter`);
    return factsFromFacter(report);
  }
  const report = name.endsWith(".bin")
    ? readTable(readFileSync(file))
    : readDump(readFileSync(file, "utf8"));
  const directory = mkdtempSync(path.join(tmpdir(), "firstlight-report-"));
  try {
    writeMachine(directory, machineOfReport(name, report));
    return readFacts(hostIo({ root: directory }));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** What a report is of, by its vendor and product, apart from the rules under test; and how sure that may be. */
const expected: readonly (readonly [RegExp, string, Match["confidence"]])[] = [
  [/^Framework Laptop$/, "framework/13-11th-gen-intel", "certain"],
  [/^Framework Laptop \(12th Gen/, "framework/13-12th-gen-intel", "certain"],
  [/^Framework Laptop \(13th Gen/, "framework/13-13th-gen-intel", "certain"],
  [/^Framework Laptop 13 \(AMD Ryzen 7040/, "framework/13-amd-7040", "certain"],
  [/^Framework Laptop 13 \(Intel Core Ultra Series 1/, "framework/13-core-ultra-1", "certain"],
  [/^Framework Laptop 16 \(AMD Ryzen 7040/, "framework/16-amd-7040", "certain"],
  [/^(OnLogic|Logic Supply) /, "onlogic/industrial", "certain"],
  [/^PC Engines apu[234]$/i, "pc-engines/apu", "certain"],
  [/^Protectli FW/, "protectli/fw", "certain"],
  [/^Protectli VP/, "protectli/vp", "certain"],
  [/^Intel Corporation NUC8/, "intel/nuc", "certain"],
  [/^(QEMU|Red Hat) /, "qemu/kvm", "certain"],
  [/^TB WTR R1$/, "generic/nas", "certain"],
  // Their SMBIOS says nothing of the processor, and there is no device tree in it.
  [/ NVIDIA (Jetson )?Orin N[Xa]/, "nvidia/jetson-orin", "likely"],
  [/^raspberrypi,4-model-b Raspberry Pi 4 Model B/, "raspberry-pi/4", "likely"],
  [/^Raspberry Pi Foundation Raspberry Pi 4 Model B$/, "raspberry-pi/4", "certain"],
  // Virtual machines without SMBIOS.
  [/^null null$/, "generic/arm-vm", "certain"],
  // Machines that no profile is for.
  [/^Radxa ROCK Pi X$/, "generic/x86-64", "generic"],
  [/^SolidRun Bedrock/, "generic/box", "generic"],
  [/^(Dell Inc. Vostro|Micro-Star .* Katana)/, "generic/laptop", "generic"],
  [
    /^(Radxa ROCK 5|libre-computer |raspberrypi rpi|Unknown NVIDIA Jetson Xavier)/,
    "generic/aarch64",
    "generic",
  ],
];

t.test("each real report, read as a machine, gets what it is of", { skip }, async (t) => {
  const seen = new Map<string, number>();
  for (const name of readdirSync(reports)) {
    const facts = factsOf(name);
    t.ok(validate(facts), `${name} fits the schema`);
    const { sysVendor = null, productName = null } = facts.dmi ?? {};
    const words = `${sysVendor} ${productName}`;
    const [, profile, confidence] = expected.find(([of]) => of.test(words)) ?? [];
    const match = matchProfile(facts, compiled);
    t.same([match.profile, match.confidence], [profile, confidence], `${name}: ${words}`);
    t.equal(match.applied, profile, `${name}: it is applied`);
    seen.set(profile ?? "none", (seen.get(profile ?? "none") ?? 0) + 1);
    const { sources } = tryRender({ hostname: "a" }, { facts, match, profiles: compiled });
    t.ok(sources.files.length > 0, `${name} renders`);
  }
  t.ok(seen.size >= 18, [...seen].join(" "));
});

/** Modules by which a report of nixos-facter says that its disks are reached. */
interface FacterHardware {
  readonly hardware: Readonly<
    Record<string, readonly { readonly driver_modules?: readonly string[] }[] | undefined>
  >;
}

t.test("the initrd of each report with disks has what leads to them", { skip }, async (t) => {
  let disks = 0;
  for (const name of readdirSync(reports).filter((file) => file.endsWith(".facter.json"))) {
    const text = readFileSync(path.join(reports, name), "utf8");
    const { hardware } = JSON.parse(text) as FacterHardware;
    const facts = factsOf(name);
    const match = matchProfile(facts, compiled);
    const { sources } = tryRender({ hostname: "a" }, { facts, match, profiles: compiled });
    const rendered = sources.files.map(({ content }) => content).join("\n");
    const list = /availableKernelModules = \[([^\]]*)\]/.exec(rendered)?.[1] ?? "";
    const modules = new Set([...list.matchAll(/"([^"]+)"/g)].map(([, module]) => norm(module)));
    for (const kind of ["disk", "storage_controller"]) {
      for (const { driver_modules: needed = [] } of hardware[kind] ?? []) {
        disks += needed.length;
        // Nobody boots from a floppy disk.
        const lacks = needed.filter((module) => module !== "floppy" && !modules.has(norm(module)));
        t.same(lacks, [], `${name}: ${kind}`);
      }
    }
  }
  t.ok(disks >= 6, `${disks} modules`);
});

t.test("a report with two graphics processors has the addresses of both", { skip }, async (t) => {
  const facts = factsOf("wg-lux.facter.json");
  const match = matchProfile(facts, compiled);
  const spec = { hostname: "a", unfree: ["nvidia-x11", "nvidia-settings"] };
  const { sources } = tryRender(spec, { facts, match, profiles: compiled });
  const rendered = sources.files.map(({ content }) => content).join("\n");
  t.match(rendered, /intelBusId = .*"PCI:0:2:0"/);
  t.match(rendered, /nvidiaBusId = .*"PCI:1:0:0"/);
});

/** The kernel takes both for the same name. */
function norm(module = ""): string {
  return module.replaceAll("-", "_");
}
