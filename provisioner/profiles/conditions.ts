import type { Facts } from "#generated/provisioner/facts/facts.ts";
import type { Conditions, TextRule } from "#generated/provisioner/profiles/profile.ts";
import { chassisClass } from "#provisioner/facts/chassis.ts";
import { compareFirmwareVersions } from "./firmware-version.ts";
import { knownText } from "./known-text.ts";
import type { Truth } from "./profile.ts";

/** One condition, looked at, with what it weighs in the specificity of its clause. */
export interface Observation {
  readonly what: string;
  /** In words; made when it is asked for, since most profiles are looked at and forgotten. */
  readonly expected: () => string;
  readonly got: string | null;
  readonly truth: Truth;
  readonly weight: number;
  /** What a text had to be. */
  readonly rule?: TextRule;
}

/** A string of SMBIOS that rules may ask for. */
export type DmiField = keyof NonNullable<Conditions["dmi"]>;

/** How much of a machine's identity a string carries. */
export const dmiWeights: Readonly<Record<DmiField, number>> = {
  boardName: 8,
  productName: 8,
  productSku: 6,
  productVersion: 4,
  chassisAssetTag: 4,
  productFamily: 3,
  sysVendor: 2,
  boardVendor: 2,
  biosVendor: 2,
  biosVersion: 2,
  boardVersion: 2,
  chassisVendor: 2,
};

const boardWeight = 8;
const deviceWeight = 2;
const cpuWeight = 2;
const firmwareWeight = 1;
const chassisWeight = 1;
const virtualisationWeight = 1;

/** Looks at every condition; what the machine does not tell is `unknown`, which is no contradiction. */
export function observe(conditions: Conditions, facts: Facts): Observation[] {
  const found: Observation[] = [];
  for (const [field, rule] of Object.entries(conditions.dmi ?? {})) {
    found.push(observeText(field as DmiField, rule, facts));
  }
  if (conditions.dt !== undefined) found.push(observeBoard(conditions.dt.compatible, facts));
  if (conditions.pci !== undefined) found.push(observePci(conditions.pci, facts));
  if (conditions.usb !== undefined) found.push(observeUsb(conditions.usb, facts));
  if (conditions.cpu !== undefined) found.push(...observeCpu(conditions.cpu, facts));
  if (conditions.chassis !== undefined) found.push(observeChassis(conditions.chassis, facts));
  if (conditions.virt !== undefined) found.push(observeVirtualisation(conditions.virt, facts));
  if (conditions.firmware !== undefined) found.push(...observeFirmware(conditions.firmware, facts));
  return found;
}

/** A rule for a text, in words. */
export function describeTextRule(rule: TextRule): string {
  if (typeof rule === "string") return JSON.stringify(rule);
  if ("oneOf" in rule) return `one of ${rule.oneOf.map((text) => JSON.stringify(text)).join(", ")}`;
  if ("prefix" in rule) return `${JSON.stringify(rule.prefix)}…`;
  return `/${rule.regex}/`;
}

function observeText(field: DmiField, rule: TextRule, facts: Facts): Observation {
  const got = knownText(facts.dmi?.[field] ?? null);
  // A pattern says less than the text itself.
  const weight = dmiWeights[field] - (typeof rule === "string" || "oneOf" in rule ? 0 : 1);
  const truth = got === null ? "unknown" : truthOf(fits(rule, got));
  const expected = () => describeTextRule(rule);
  return { what: `dmi.${field}`, expected, got, truth, weight, rule };
}

/** Whether a text is what a rule wants. */
export function fits(rule: TextRule, text: string): boolean {
  if (typeof rule === "string") return text === rule;
  if ("oneOf" in rule) return rule.oneOf.includes(text);
  if ("prefix" in rule) return text.startsWith(rule.prefix);
  return expressionOf(rule).test(text);
}

/** The expression of a rule, for whole texts. Throws a `SyntaxError` where it is none. */
export function expressionOf({ regex }: { readonly regex: string }): RegExp {
  return new RegExp(`^(?:${regex})$`, "u");
}

type BoardNames = NonNullable<Conditions["dt"]>["compatible"];

/** The name at the beginning of the list is the board, those behind it ever wider families. */
function observeBoard(names: BoardNames, facts: Facts): Observation {
  const compatible = facts.deviceTree?.compatible ?? null;
  const at = compatible?.findIndex((name) => names.includes(name)) ?? -1;
  return {
    what: "dt.compatible",
    expected: () => `one of ${names.join(", ")}`,
    got: compatible === null ? null : compatible.join(", "),
    truth: compatible === null ? "unknown" : truthOf(at >= 0),
    weight: Math.max(2, boardWeight - 2 * Math.max(0, at)),
    rule: { oneOf: names },
  };
}

function observePci(patterns: readonly string[], facts: Facts): Observation {
  for (const { vendor, device, subsystemVendor, subsystemDevice, slot } of facts.pci ?? []) {
    const ids = [vendor, device, subsystemVendor, subsystemDevice];
    const pattern = patterns.find((each) =>
      each.split(":").every((part, at) => part === "*" || part === ids[at]),
    );
    if (pattern === undefined) continue;
    const known = ids.slice(0, pattern.split(":").length).map((id) => id ?? "*");
    return observeDevice("pci", patterns, facts.pci, `${known.join(":")} at ${slot}`);
  }
  return observeDevice("pci", patterns, facts.pci, undefined);
}

function observeUsb(patterns: readonly string[], facts: Facts): Observation {
  const found = facts.usb?.find((device) =>
    patterns.some((pattern) => {
      const ids = [device.vendor, device.product];
      return pattern.split(":").every((part, at) => part === "*" || part === ids[at]);
    }),
  );
  return observeDevice(
    "usb",
    patterns,
    facts.usb,
    found && `${found.vendor}:${found.product} at ${found.port}`,
  );
}

function observeDevice(
  what: "pci" | "usb",
  patterns: readonly string[],
  list: readonly unknown[] | null,
  found: string | undefined,
): Observation {
  return {
    what,
    expected: () => `one of ${patterns.join(", ")}`,
    got: list === null ? null : (found ?? "no such device"),
    truth: list === null ? "unknown" : truthOf(found !== undefined),
    weight: deviceWeight,
  };
}

function observeCpu(cpu: NonNullable<Conditions["cpu"]>, facts: Facts): Observation[] {
  const found: Observation[] = [];
  const add = (what: string, expected: string, got: string | number | null, holds: boolean) =>
    found.push({
      what: `cpu.${what}`,
      expected: () => expected,
      got: got === null ? null : String(got),
      truth: got === null ? "unknown" : truthOf(holds),
      // Vendor, family and model together weigh as one.
      weight: found.length === 0 ? cpuWeight : 0,
    });
  const { architecture, vendor, family, model } = facts.cpu;
  if (cpu.architecture !== undefined)
    add("architecture", cpu.architecture, architecture, architecture === cpu.architecture);
  if (cpu.vendor !== undefined) add("vendor", cpu.vendor, vendor, vendor === cpu.vendor);
  if (cpu.family !== undefined) add("family", String(cpu.family), family, family === cpu.family);
  if (cpu.models !== undefined) {
    add(
      "model",
      `one of ${cpu.models.join(", ")}`,
      model,
      model !== null && cpu.models.includes(model),
    );
  }
  return found;
}

function observeChassis(classes: readonly string[], facts: Facts): Observation {
  const got = chassisClass(facts.dmi?.chassisType ?? null);
  return {
    what: "chassis",
    expected: () => `one of ${classes.join(", ")}`,
    got,
    truth: got === null ? "unknown" : truthOf(classes.includes(got)),
    weight: chassisWeight,
  };
}

function observeVirtualisation(kinds: readonly string[], facts: Facts): Observation {
  const got = facts.virtualisation;
  return {
    what: "virt",
    expected: () => `one of ${kinds.join(", ")}`,
    got,
    truth: got === null ? "unknown" : truthOf(kinds.includes(got)),
    weight: virtualisationWeight,
  };
}

function observeFirmware(
  firmware: NonNullable<Conditions["firmware"]>,
  facts: Facts,
): Observation[] {
  const found: Observation[] = [];
  const add = (
    what: string,
    expected: string,
    got: string | null,
    holds: (got: string) => boolean,
  ) =>
    found.push({
      what: `firmware.${what}`,
      expected: () => expected,
      got,
      truth: got === null ? "unknown" : truthOf(holds(got)),
      weight: firmwareWeight,
    });
  const { type, minVersion, maxVersion } = firmware;
  const version = knownText(facts.dmi?.biosVersion ?? null);
  if (type !== undefined) {
    const kinds: readonly string[] = type;
    add("type", `one of ${kinds.join(", ")}`, facts.firmware.type, (got) => kinds.includes(got));
  }
  if (minVersion !== undefined) {
    add(
      "version",
      `at least ${minVersion}`,
      version,
      (got) => compareFirmwareVersions(got, minVersion) >= 0,
    );
  }
  if (maxVersion !== undefined) {
    add(
      "version",
      `at most ${maxVersion}`,
      version,
      (got) => compareFirmwareVersions(got, maxVersion) <= 0,
    );
  }
  return found;
}

function truthOf(holds: boolean): Truth {
  return holds ? "holds" : "fails";
}
