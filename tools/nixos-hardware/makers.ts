import type { Identity } from "#provisioner/profiles/identity.ts";
import type { Module } from "./checkout.ts";

/** SMBIOS strings that name a machine, and where each stands in an identity. */
export const nameFields = { productName: 2, productVersion: 4, boardName: 7 } as const;
export type NameField = keyof typeof nameFields;

/** How a maker's machines are named: in SMBIOS, and by the folders of nixos-hardware. */
export interface Maker {
  /** The folders whose modules are of this maker. */
  readonly folder: RegExp;
  /** Its names as system's or board's vendor. */
  readonly vendor: RegExp;
  readonly fields: readonly NameField[];
  /** The names under which a machine may be known by such a string. */
  readonly read: (text: string) => readonly string[];
  /** The names that a module means. */
  readonly names: (module: Module) => Names;
}

/** A whole name is `exact`; `series` is one that letters for the equipment follow. */
export interface Names {
  readonly exact: readonly string[];
  readonly series?: readonly string[];
  /** Word that is in a name; only where one machine alone has it. */
  readonly code?: readonly string[];
  /** Maker of the processor, where the same name is sold with several. */
  readonly cpu?: "AuthenticAMD" | "GenuineIntel";
}

/** A text as words of lower-case letters and digits. */
export function wordsOf(text: string): readonly string[] {
  return text
    .toLowerCase()
    .split(/[^a-z0-9+]+/)
    .filter((word) => word !== "");
}

const join = (words: readonly string[]) => words.join(" ");
const without = (words: readonly string[], dropped: readonly string[]) =>
  words.filter((word) => !dropped.includes(word));

/** Names by path and by title, without the words that say nothing of the model. */
function plainNames(
  { path, title }: Module,
  noise: readonly string[],
  respell: (text: string) => string = (text) => text,
): readonly string[] {
  const [, ...folders] = path.split("/");
  if (variants.includes(folders.at(-1) ?? "")) folders.pop();
  const byPath = without(wordsOf(respell(folders.join(" "))), noise);
  // "(Intel)" tells one machine of several with the same name, which then is none of its own.
  const isOne = !/\((?:intel|amd)/i.test(title ?? "");
  const named = isOne ? (title ?? "").replace(/\(.*?\)|,.*$/g, "") : "";
  const byTitle = without(wordsOf(respell(named)), noise);
  return [...new Set([join(byPath), join(byTitle)])].filter((name) => name !== "");
}

/** Last folders that are another way to run the machine of the folder above. */
export const variants: readonly string[] = [
  "nvidia",
  "hybrid",
  "intel",
  "intelgpu",
  "amdgpu",
  "integrated",
  "igpu-only",
];

/** `6th-gen`, `6th`, `Gen 6` and `gen6` as one word; the letter behind tells the processor. */
function generations(text: string): string {
  return text
    .toLowerCase()
    .replace(/\b(\d+)(?:st|nd|rd|th)(?:[- ]gen)?\b/g, " gen$1 ")
    .replace(
      /\bgen ?(\d+)(i|a)?\b/g,
      (_, number, letter) =>
        ` gen${number}${letter === undefined ? "" : letter === "i" ? " intel" : " amd"} `,
    );
}

const thinkpad: Maker = {
  folder: /^lenovo\/thinkpad(?:\/|$)/,
  vendor: /^lenovo$/i,
  fields: ["productVersion"],
  read: (text) => (/^ThinkPad /.test(text) ? [join(wordsOf(generations(text)))] : []),
  names({ path }) {
    const [, , ...folders] = path.split("/");
    const cpu = folders.includes("amd")
      ? "AuthenticAMD"
      : folders.includes("intel")
        ? "GenuineIntel"
        : undefined;
    let words = wordsOf(generations(folders.join(" ")));
    words = without(words, ["amd", "intel", "nvidia"]);
    // The folder `x1` is the Carbon's, and `z` one of two models.
    if (words.length === 1 && words[0] === "x1") return { exact: [] };
    if (words[0] === "x1" && /^gen/.test(words[1] ?? ""))
      words = ["x1", "carbon", ...words.slice(1)];
    if (words[0] === "z") words = [words[2] ?? "z", words[1] ?? ""];
    const name = join(["thinkpad", ...words]);
    if (cpu === undefined) return { exact: [name] };
    const maker = cpu === "AuthenticAMD" ? "amd" : "intel";
    return { exact: [name, `${name} ${maker}`], cpu };
  },
};

const lenovo: Maker = {
  folder: /^lenovo\//,
  vendor: /^lenovo$/i,
  fields: ["productVersion"],
  read: (text) => [join(without(wordsOf(text), ["lenovo"]))],
  names(module) {
    const [, line = "", ...folders] = module.path.split("/");
    const code = without(folders, variants).at(-1)?.toLowerCase() ?? "";
    const names = plainNames(module, ["lenovo"]);
    return { exact: names, code: /^\d\d[a-z]{3}\d/.test(code) ? [line, code] : [] };
  },
};

const dell: Maker = {
  folder: /^dell\//,
  vendor: /^dell inc\.$/i,
  fields: ["productName"],
  read(text) {
    const words = wordsOf(text);
    // A size before the number is part of some names and not of others.
    const size = words.findIndex((word) => /^1[1-9]$/.test(word));
    const bare = words[0] === "inspiron" && size === 1 ? join(words.toSpliced(size, 1)) : undefined;
    return bare === undefined ? [join(words)] : [join(words), bare];
  },
  names: (module) => ({ exact: plainNames(module, ["dell"]) }),
};

const hewlettPackard: Maker = {
  folder: /^(?:hp|omen)\//,
  vendor: /^(?:hp|hewlett-packard)$/i,
  fields: ["productName"],
  read: (text) => [join(without(wordsOf(text), hpNoise))],
  names: (module) => ({ exact: hpNames(module) }),
};
const hpNoise = ["hp", "by", "laptop", "notebook", "pc", "gaming"];

/** Machines tell the series, `15-en0xxx`, of which a module names one, `15-en0010ca`. */
function hpNames(module: Module): readonly string[] {
  const respell = (text: string) =>
    text
      .replace(/\b(\d{3})[gG](\d+)\b/g, "$1 g$2")
      .replace(
        /\b([a-z]{1,2}\d)(\d{2,3})[a-z]{0,2}$/,
        (_, head, digits) => head + "x".repeat(digits.length),
      );
  const own = module.path.startsWith("omen/") ? ["omen"] : [];
  const names = plainNames(module, hpNoise, respell);
  return names.map((name) => join([...new Set([...own, ...name.split(" ")])]));
}

const asus: Maker = {
  folder: /^asus\//,
  vendor: /^asus/i,
  fields: ["boardName"],
  read: (text) => [join(wordsOf(text))],
  names(module) {
    const parts = module.path.split(/[/]/).flatMap((part) => [part, ...part.split("-")]);
    const code = parts.findLast((part) => /^[a-z]{1,2}\d{3,4}[a-z]*$/.test(part));
    const isModel = code !== undefined && /^[a-z]{1,2}\d{3,4}/.test(code) && !/^x\d/.test(code);
    // `ga402` and `g533q` leave the equipment open, which `ga401iv` says.
    if (isModel && /\d[a-z]{2,}$/.test(code)) return { exact: [code] };
    return isModel ? { exact: [code], series: [code] } : { exact: plainNames(module, ["asus"]) };
  },
};

const apple: Maker = {
  folder: /^apple\//,
  vendor: /^apple inc\.$/i,
  fields: ["productName"],
  // `MacBookAir7,2` is of the seventh.
  read: (text) => {
    const [, line = "", generation = "", number = ""] = /^([A-Za-z]+)(\d+),(\d+)$/.exec(text) ?? [];
    const name = `${line.toLowerCase()} ${generation}`;
    return line === "" ? [] : [`${name} ${number}`, name];
  },
  names({ path }) {
    const [, line = "", model = ""] = path.split("/");
    const name = join([line.replaceAll("-", ""), ...model.split("-")]);
    return { exact: model === "" || line === "" ? [] : [name] };
  },
};

const microStar: Maker = {
  folder: /^msi\//,
  vendor: /^(?:msi|micro-star international.*)$/i,
  fields: ["productName", "boardName"],
  read: (text) => [join(without(wordsOf(text.replace(/\(MS-.*?\)/, "")), ["mag"]))],
  names: (module) => ({ exact: plainNames(module, ["msi"]) }),
};

const intel: Maker = {
  folder: /^intel\/nuc\//,
  vendor: /^intel/i,
  fields: ["productName", "boardName"],
  read: (text) => [join(wordsOf(text))],
  names: ({ path }) => ({ exact: [`nuc${path.split("/").at(-1)}`] }),
};

const acer: Maker = {
  folder: /^acer\//,
  vendor: /^acer/i,
  fields: ["productName"],
  read: (text) => [join(wordsOf(text))],
  names: ({ path }) => {
    const [, line = "", ...folders] = path.split("/");
    return { exact: [join(wordsOf(`${line} ${folders.at(-1)}`))] };
  },
};

const samsung: Maker = {
  folder: /^samsung\//,
  vendor: /^samsung/i,
  fields: ["productName"],
  // One board for several sizes: `900X3C/900X4C/900X4D`.
  read: (text) => text.toLowerCase().split("/"),
  names: ({ path }) => ({ exact: [path.slice("samsung/np".length)] }),
};

const system76: Maker = {
  folder: /^system76\//,
  vendor: /^system76/i,
  fields: ["productVersion", "productName"],
  read: (text) => [join(wordsOf(text))],
  names: (module) => ({ exact: plainNames(module, ["system76"]) }),
};

/** A maker whose machines are named as its folders are. */
function plainMaker(folder: string, vendor: RegExp, noise: readonly string[] = []): Maker {
  const dropped = [folder, ...noise];
  return {
    folder: new RegExp(`^${folder}/`),
    vendor,
    fields: ["productName", "boardName"],
    read: (text) => [join(without(wordsOf(respellPlain(text)), dropped))],
    names: (module) => ({ exact: plainNames(module, dropped, respellPlain) }),
  };
}

/** `13v3` as `13 v3`, `Gen 2` as `gen2`. */
function respellPlain(text: string): string {
  return text.replace(/(\d)(v\d)/gi, "$1 $2").replace(/\bgen (\d)/gi, "gen$1");
}

/** Every maker, the narrower folder first. */
export const makers: readonly Maker[] = [
  thinkpad,
  lenovo,
  dell,
  hewlettPackard,
  asus,
  apple,
  microStar,
  intel,
  acer,
  samsung,
  system76,
  plainMaker("microsoft", /^microsoft corporation$/i, []),
  plainMaker("purism", /^purism$/i),
  plainMaker("tuxedo", /^tuxedo/i, []),
  plainMaker("supermicro", /^supermicro$/i),
  plainMaker("protectli", /^protectli$/i),
  plainMaker("gpd", /^gpd$/i),
  plainMaker("minisforum", /^micro computer/i),
  plainMaker("chuwi", /^chuwi/i),
  plainMaker("toshiba", /^google$/i),
  plainMaker("asrock-rack", /^asrock ?rack/i),
  plainMaker("razer", /^razer$/i, ["blade"]),
  plainMaker("starlabs", /^star ?labs$/i),
  plainMaker("huawei", /^huawei$/i),
  plainMaker("airis", /^airis$/i),
  plainMaker("aoostar", /^aoostar$/i),
  plainMaker("slimbook", /^slimbook$/i),
  plainMaker("panasonic", /^panasonic/i),
  plainMaker("xiaomi", /^(?:xiaomi|timi)$/i),
];

/** A string that names a machine, with the vendor that stands beside it. */
export interface NameString {
  readonly vendorField: "sysVendor" | "boardVendor";
  readonly vendor: string;
  readonly field: NameField;
  readonly text: string;
}

/** The strings of an identity by which its maker names it. */
export function nameStringsOf(identity: Identity, maker: Maker): readonly NameString[] {
  const at = (index: number) => identity[index] ?? "";
  return maker.fields.flatMap((field): readonly NameString[] => {
    const text = at(nameFields[field]);
    if (text === "") return [];
    if (maker.vendor.test(at(1))) return [{ vendorField: "sysVendor", vendor: at(1), field, text }];
    const isBoard = field === "boardName" && maker.vendor.test(at(6));
    return isBoard ? [{ vendorField: "boardVendor", vendor: at(6), field, text }] : [];
  });
}
