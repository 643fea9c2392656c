/** What a machine is by the look of it. */
export type ChassisClass =
  | "desktop"
  | "laptop"
  | "convertible"
  | "tablet"
  | "handheld"
  | "server"
  | "embedded";

/**
 * Chassis types of the SMBIOS specification (3.7, section 7.4.1): dmidecode's words and the class.
 * Docks, expansion boxes and bare bus chassis have none: they say nothing of what is inside.
 */
const types: Readonly<Record<number, readonly [words: string, is: ChassisClass]>> = {
  3: ["Desktop", "desktop"],
  4: ["Low Profile Desktop", "desktop"],
  5: ["Pizza Box", "desktop"],
  6: ["Mini Tower", "desktop"],
  7: ["Tower", "desktop"],
  8: ["Portable", "laptop"],
  9: ["Laptop", "laptop"],
  10: ["Notebook", "laptop"],
  11: ["Hand Held", "handheld"],
  13: ["All In One", "desktop"],
  14: ["Sub Notebook", "laptop"],
  15: ["Space-saving", "desktop"],
  16: ["Lunch Box", "desktop"],
  17: ["Main Server Chassis", "server"],
  23: ["Rack Mount Chassis", "server"],
  24: ["Sealed-case PC", "desktop"],
  25: ["Multi-system", "server"],
  28: ["Blade", "server"],
  29: ["Blade Enclosing", "server"],
  30: ["Tablet", "tablet"],
  31: ["Convertible", "convertible"],
  32: ["Detachable", "convertible"],
  33: ["IoT Gateway", "embedded"],
  34: ["Embedded PC", "embedded"],
  35: ["Mini PC", "desktop"],
  36: ["Stick PC", "desktop"],
};

const numbers: ReadonlyMap<string, number> = new Map(
  Object.entries(types).map(([number, [words]]) => [words, Number(number)]),
);

/** The class of a chassis type; `null` where it says nothing (`Other`, `Unknown`, a dock). */
export function chassisClass(type: number | null): ChassisClass | null {
  return type === null ? null : (types[type]?.[1] ?? null);
}

/** The number of a chassis type in dmidecode's words; `null` of words that name no class. */
export function chassisType(words: string): number | null {
  return numbers.get(words) ?? null;
}
