import type { Dmi, Facts, Gpu } from "#generated/provisioner/facts/facts.ts";
import type { ProfileFile } from "#generated/provisioner/profiles/profile.ts";
import type { CompiledProfile } from "#provisioner/profiles/profile.ts";

/** Whole facts that were recorded; a machine of a profile is like one of them but for what its profile asks. */
export interface RecordedFacts {
  readonly x86: Facts;
  readonly arm: Facts;
  /** Of profiles that have a machine of their own, by id. */
  readonly own: ReadonlyMap<string, Facts>;
}

export type Architecture = "x86_64" | "aarch64" | "armv7l" | "riscv64";

/** Boards that the tree keeps beside its PCs: it says of few what processor they have. */
const boards: readonly (readonly [Architecture, RegExp])[] = [
  ["armv7l", /^(beagleboard|kobol|raspberry-pi\/2)/],
  ["riscv64", /^(microchip|milkv|pine64\/star64|spacemit|starfive)\//],
  [
    "aarch64",
    /^(asrock-rack\/altra|compulab|friendlyarm|fydetab|hardkernel\/odroid-(hc4|m1)|lenovo\/thinkpad\/x13s|mnt|nxp|olimex|pine64|purism\/librem\/5r4|radxa|raspberry-pi)/,
  ],
];

/** The kind of processor that a module of nixos-hardware is for. */
export function architectureOf(module: string): Architecture {
  return boards.find(([, folder]) => folder.test(module))?.[0] ?? "x86_64";
}

const nvidia: Gpu = {
  slot: "0000:01:00.0",
  vendor: "10de",
  device: "2820",
  busId: "PCI:1:0:0",
  bootVga: false,
  driver: null,
};

const integrated: Readonly<Record<string, Gpu>> = {
  GenuineIntel: {
    slot: "0000:00:02.0",
    vendor: "8086",
    device: "46d1",
    busId: "PCI:0:2:0",
    bootVga: true,
    driver: "i915",
  },
  AuthenticAMD: {
    slot: "0000:66:00.0",
    vendor: "1002",
    device: "1681",
    busId: "PCI:102:0:0",
    bootVga: true,
    driver: "amdgpu",
  },
};

/**
 * A machine that has this profile, with what its module is about: the processor's maker, and NVIDIA's card
 * where `text`, the module with all that it imports, speaks of one. On the buses things lie elsewhere than in
 * the examples of nixos-hardware.
 */
export function machineOf(
  profile: CompiledProfile,
  module: string,
  text: string,
  { x86, arm, own }: RecordedFacts,
): Facts {
  const recorded = own.get(profile.id);
  if (recorded !== undefined) return recorded;
  const architecture = architectureOf(module);
  if (architecture !== "x86_64") return { ...arm, cpu: { ...arm.cpu, architecture } };
  const vendor = /hardware\.cpu\.amd|kvm-amd|amd_pstate/.test(text)
    ? "AuthenticAMD"
    : "GenuineIntel";
  const cards = [integrated[vendor], /nvidia/i.test(text) ? nvidia : undefined];
  return {
    ...x86,
    chassis: "laptop",
    dmi: { ...noNames(x86), ...namesOf(profile.match) },
    cpu: { ...x86.cpu, vendor },
    gpus: cards.filter((card) => card !== undefined),
  };
}

function noNames({ dmi }: Facts): Dmi {
  if (dmi === null) throw new Error("expected a recorded machine with SMBIOS");
  return dmi;
}

/** The names that the first clause of a rule asks for. */
function namesOf({ any: [clause] }: CompiledProfile["match"]): Partial<Dmi> {
  const rules = Object.entries(clause?.all.dmi ?? {});
  return Object.fromEntries(
    rules.map(([name, rule]) => {
      if (typeof rule === "string") return [name, rule];
      return [name, "oneOf" in rule ? (rule.oneOf[0] ?? null) : null];
    }),
  );
}

/** Facts of the recorded machine of a profile's own tests, where it has one. */
export function recordedIn(
  file: ProfileFile,
  fixtures: ReadonlyMap<string, string>,
): Facts | undefined {
  const name = file.tests?.match.find(({ fixture }) => fixture !== undefined)?.fixture;
  const text = name === undefined ? undefined : fixtures.get(name);
  return text === undefined ? undefined : (JSON.parse(text) as Facts);
}
