import { Fault } from "#core/fault.ts";
import type { Finding } from "#core/finding.ts";
import type { Files } from "#core/io.ts";
import type { ReadTools } from "./datasource.ts";
import { ForeignAnswer, foreignDocument } from "./metadata/foreign-answer.ts";
import {
  readSeed,
  requiredFiles,
  type Seed,
  type SeedFile,
  seedFiles,
  seedLimits,
} from "./nocloud-seed.ts";
import { readRegularFile } from "./regular-file.ts";

/** Where the rest of a seed lies. */
export interface SeedFrom {
  readonly seed: Seed;
  /** The address, as it may stand in a message. */
  readonly place: string;
  readonly identity: string;
  readonly findings: readonly Finding[];
}

/**
 * Reads the seed that meta-data points at with `seedfrom`: a directory of this machine, by path or
 * `file://`, or one behind http or https; or a pattern in which `%s` stands for the name of the file.
 * `__dmi.system-serial-number__` and its like stand for what the firmware says. Throws
 * `datasource/none` for one over the network where that is not up, `datasource/missing`,
 * `datasource/malformed`, `datasource/unreachable`.
 */
export async function readSeedFrom(
  files: Files,
  seedFrom: string,
  tools: Pick<ReadTools, "fetch"> = {},
): Promise<SeedFrom> {
  const base = withFirmware(files, seedFrom).replace(/^file:\/\//, "");
  const pattern = base.includes("%s") ? base : `${base.replace(/\/$/, "")}/%s`;
  const fileOf = (name: string) => pattern.replaceAll("%s", name);
  if (base.startsWith("/")) {
    const seed = readSeed(
      `seedfrom ${base}`,
      (file, maxBytes) => readRegularFile(files, fileOf(file), maxBytes),
      () => files.list(base),
    );
    return { seed, place: `seedfrom ${base}`, identity: `directory ${base}`, findings: [] };
  }
  if (!/^https?:\/\//.test(base) || !URL.canParse(fileOf("x"))) {
    throw new Fault(
      "datasource/missing",
      `seedfrom ${shown(base)}: only a directory of this machine, http and https are read`,
      { hint: "put the seed behind such an address, or on a disk labelled CIDATA" },
    );
  }
  const place = `seedfrom ${shown(base)}`;
  const { fetch } = tools;
  if (fetch === undefined) {
    throw new Fault("datasource/none", `${place} is read over the network, which is not up yet`);
  }
  const findings: Finding[] = [];
  const read = await Promise.all(
    seedFiles.map(async (name) => {
      const refused = (status: number) => findings.push(leftOut(place, name, status));
      const isNeeded = requiredFiles.includes(name);
      const bytes = await fetch(fileOf(name), seedLimits[name], isNeeded ? undefined : refused);
      if (bytes !== undefined && inYaml.includes(name)) needOwn(`${place}: ${name}`, bytes);
      return [name, bytes] as const;
    }),
  );
  const found = new Map(read);
  const present = read.flatMap(([name, bytes]) => (bytes === undefined ? [] : [name]));
  const seed = readSeed(
    place,
    (name) => found.get(name),
    () => present,
  );
  return { seed, place, identity: place, findings };
}

/** Files that are YAML; the others may be anything. */
const inYaml: readonly SeedFile[] = ["meta-data", "network-config"];

/** Throws `datasource/unreachable` where somebody else answers, as a portal that wants a login. */
function needOwn(place: string, bytes: Uint8Array): void {
  const foreign = foreignDocument(bytes);
  if (foreign !== undefined) throw new ForeignAnswer(place, foreign);
}

function leftOut(place: string, name: string, status: number): Finding {
  return {
    ...{ document: place, path: "", line: null, column: null, level: "warning" },
    code: "datasource/not-read",
    message: `left out: ${name}, for which the server answered with ${status}`,
    hint: "let it answer with the file, or with 404 where there is none",
  };
}

/** An address as it may stand in a message: its scheme and host, nothing that may be a password. */
function shown(address: string): string {
  const parsed = URL.canParse(address) ? new URL(address) : undefined;
  return parsed === undefined ? "(no address)" : `${parsed.protocol}//${parsed.host}/…`;
}

/** What dmidecode calls the fields of the firmware, by the kernel's names. */
const fields: ReadonlyMap<string, string> = new Map([
  ["baseboard-asset-tag", "board_asset_tag"],
  ["baseboard-manufacturer", "board_vendor"],
  ["baseboard-product-name", "board_name"],
  ["baseboard-serial-number", "board_serial"],
  ["baseboard-version", "board_version"],
  ["bios-release-date", "bios_date"],
  ["bios-vendor", "bios_vendor"],
  ["bios-version", "bios_version"],
  ["chassis-asset-tag", "chassis_asset_tag"],
  ["chassis-manufacturer", "chassis_vendor"],
  ["chassis-serial-number", "chassis_serial"],
  ["chassis-version", "chassis_version"],
  ["system-manufacturer", "sys_vendor"],
  ["system-product-name", "product_name"],
  ["system-serial-number", "product_serial"],
  ["system-uuid", "product_uuid"],
  ["system-version", "product_version"],
]);

/** Puts what the firmware says in the place of its fields. Throws `datasource/missing` where it says nothing. */
function withFirmware(files: Files, address: string): string {
  return address.replaceAll(/__dmi\.([a-z-]+)__/g, (_, field: string) => {
    const name = fields.get(field);
    const value =
      name === undefined ? undefined : files.readText(`/sys/class/dmi/id/${name}`)?.trim();
    if (value !== undefined && value !== "") return encodeURIComponent(value);
    const known =
      name === undefined
        ? "no field of the firmware has this name"
        : "the firmware does not say it";
    throw new Fault("datasource/missing", `seedfrom: __dmi.${field}__: ${known}`);
  });
}
