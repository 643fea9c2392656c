import { nearest } from "#core/nearest.ts";
import type { Input } from "../input.ts";
import { getOwn } from "../own-key.ts";
import type { CloudConfigModule } from "./module.ts";
import { formOfPackage } from "./package-forms.ts";
import { packageAttributes } from "./package-names.ts";
import { fedoraAttributes } from "./package-names-fedora.ts";
import { plainPackages } from "./package-names-plain.ts";
import {
  serviceOptions,
  servicesAlone,
  servicesOfModules,
  servicesOtherwise,
  serviceTemplates,
} from "./package-services.ts";
import { type RefusedKeys, refuse, refused } from "./refused.ts";

type Named = readonly [name: string, input: Input];

/** `packages`: names of nixpkgs; the names that Debian has for the same program are mapped. */
export const packages: CloudConfigModule = {
  name: "package_update_upgrade_install",
  keys: [
    ...["packages", "package_update", "package_upgrade", "package_reboot_if_required"],
    ...["apt_update", "apt_upgrade", "apt_reboot_if_required"],
  ],
  rule:
    "Packages by their attribute in nixpkgs. Names that Debian has for the same program are mapped, " +
    "with a note; one that starts a service on Debian is the program alone, with a warning that names the " +
    "option for it; what NixOS needs no package for is left out, with a note, or a warning where it " +
    "is a service to be set up; so is, with a warning, a name whose form only Debian has (`libssl-dev`, `fonts-lato`). " +
    "`firstlight: packages` takes attributes as they stand. The pinned nixpkgs decides the versions. " +
    "Whether nixpkgs has an attribute is not looked up: a name that no table has is noted, with the one that it looks like, and one that nixpkgs does not have " +
    "stops the whole change. What is not free is built only where it is named under `firstlight: unfree`; a warning " +
    "names what is known for it. What is named under `snap` is taken from nixpkgs by the same name, with a warning. " +
    "`package_update` and `package_reboot_if_required` ask for nothing that is needed; `package_upgrade: true` is named, since newer versions come with a newer pinned nixpkgs. " +
    "`apt_update`, `apt_upgrade` and `apt_reboot_if_required` are older spellings.",
  example: `packages:
  - htop
  - fd-find
  - [jq, 1.7.1]
  - apt: [ca-certificates]
package_update: true
package_upgrade: true
`,
  translate({ config, draft }) {
    for (const [key, wish] of Object.entries(versionWishes)) {
      for (const spelling of [`package_${key}`, `apt_${key}`]) {
        const input = config.get(spelling);
        if (input === undefined) continue;
        if (key === "upgrade" && input.value === true) input.unsupported(upgradeOfPins);
        else refuse(input, wish);
      }
    }
    const wished = new Set<string>();
    for (const [name, input] of packageNames(config.get("packages"))) {
      for (const attribute of readAttributes(name, input)) {
        if (wished.has(attribute)) continue;
        draft.origin(["packages", wished.size], input);
        wished.add(attribute);
      }
    }
    if (wished.size > 0) draft.spec.packages = [...wished];
  },
};

const upgradeOfPins = {
  code: "cloud-config/package-version",
  message: "every change takes all packages from the pinned nixpkgs, and no newer ones",
  hint: "pin a newer nixpkgs to get newer packages",
} as const;

/** What is asked of the packages as a whole, by the end of its key. */
const versionWishes: RefusedKeys = {
  update: refused.flag("the pinned nixpkgs decides the versions; nothing is needed", () => true),
  upgrade: refused.flag("the pinned nixpkgs decides the versions; nothing is needed", () => true),
  reboot_if_required: refused.flag(
    "NixOS boots a new kernel at the next reboot; nothing is needed",
    () => true,
  ),
};

const mappedNames = { ...fedoraAttributes, ...packageAttributes };

/** The attributes of nixpkgs for a name; none where it is left out. */
function readAttributes(name: string, input: Input): readonly string[] {
  const instead = serviceInstead(name);
  if (instead !== undefined) return leaveOut(input, "warning", noCounterpart, instead);
  const known = getOwn(mappedNames, name);
  if (known === null) return leaveOut(input, "note", noCounterpart, partOfSystem);
  if (known !== undefined) return take({ attributes: [known].flat(), name, input });
  const form = formOfPackage(name);
  switch (form?.kind) {
    case undefined:
      nameUnknown(name, input);
      return take({ attributes: [name], name, input });
    case "mapped":
      return take({ attributes: [form.attribute], name, input });
    case "guessed":
      nameGuess(form.attribute, input);
      return take({ attributes: [form.attribute], name: form.attribute, input });
    case "service":
      return leaveOut(input, "warning", noCounterpart, setOption(form.option));
    case "otherwise":
      return leaveOut(input, "warning", noCounterpart, form.hint);
    case "unneeded":
      return leaveOut(input, "note", noCounterpart, partOfSystem);
    case "debian":
      return leaveOut(input, "warning", ofDebian, `${form.hint}; ${asItStands}`);
  }
}

const noCounterpart = {
  code: "cloud-config/package-unneeded",
  message: "this package has no counterpart of its own on NixOS",
} as const;
const ofDebian = {
  code: "cloud-config/package-debian",
  message:
    "this looks like a name of another distribution that nixpkgs does not have; it is left out",
} as const;
const partOfSystem = "what it does is part of the system; remove it to silence the note";
const asItStands = "an attribute that is right as it stands goes under `firstlight: packages`";

/** A service that is not set up loses something, a warning; what is part of every system does not. */
function leaveOut(
  input: Input,
  level: "note" | "warning",
  what: typeof noCounterpart | typeof ofDebian,
  hint: string,
): readonly string[] {
  input.unsupported({ ...what, hint }, level);
  return [];
}

/** The way to have a service for which no package is installed. */
function serviceInstead(name: string): string | undefined {
  const option = getOwn(servicesAlone, name);
  return option === undefined ? getOwn(servicesOtherwise, name) : setOption(option);
}

function setOption(option: string): string {
  return getOwn(servicesOfModules, option) ?? `set ${option} under \`firstlight: options\``;
}

function nameGuess(attribute: string, input: Input): void {
  input.add("warning", {
    code: "cloud-config/package-debian",
    message: `this looks like a name of Debian; ${attribute} of nixpkgs is taken for it`,
    hint:
      importHint(attribute) ??
      `write \`${attribute}\`, or the attribute that search.nixos.org has for it`,
  });
}

/** A module of Python lies beside the interpreter, which finds only those that it was put together with. */
function importHint(attribute: string): string | undefined {
  const [set, module] = attribute.split(".");
  if (set !== "python3Packages") return undefined;
  return `\`python3\` does not import it so; write \`python3.withPackages (ps: [ ps.${module} ])\` in a module of your own`;
}

/** The attributes for a name, with what is to be said of them. */
function take(named: {
  readonly attributes: readonly string[];
  readonly name: string;
  readonly input: Input;
}): readonly string[] {
  const { attributes, name, input } = named;
  if (!attributes.every(isAttributePath)) {
    input.unsupported({
      code: "cloud-config/package-name",
      message: "this cannot be the name of a package in nixpkgs",
      hint: "look it up at search.nixos.org and write its attribute",
    });
    return [];
  }
  warnOfService(name, input);
  if (!attributes.includes(name)) nameMapping(attributes, input);
  return attributes;
}

const knownNames = [
  ...[packageAttributes, fedoraAttributes, serviceOptions, servicesAlone].flatMap((table) =>
    Object.keys(table),
  ),
  ...Object.values(packageAttributes).flat(),
  ...plainPackages,
].filter((name) => name !== null);
/** Of shorter names too many are like another. */
const leastLength = 4;

/** A name that no table has: perhaps one of nixpkgs, perhaps a typing error. */
function nameUnknown(name: string, input: Input): void {
  if (!isAttributePath(name) || name.includes(".") || isKnown(name)) return;
  const near = name.length < leastLength ? undefined : nearest(name, knownNames);
  if (near !== undefined && isOneSlip(name, near)) {
    input.add("note", {
      code: "cloud-config/package-near",
      message:
        "this is taken as an attribute of nixpkgs, and is nearly the name of another package",
      hint: `did you mean \`${near}\`?`,
    });
    return;
  }
  input.add("note", {
    code: "cloud-config/package-unknown",
    message: "this is taken as an attribute of nixpkgs as it stands; no table of names has it",
    hint: "look it up at search.nixos.org; where nixpkgs does not have it, the whole change is stopped",
  });
}

/** One letter more, less or another, or two neighbours swapped. */
function isOneSlip(name: string, near: string): boolean {
  const length = Math.min(name.length, near.length);
  let start = 0;
  while (start < length && name[start] === near[start]) start++;
  let end = 0;
  while (end < length - start && name.at(-1 - end) === near.at(-1 - end)) end++;
  const [rest, nearRest] = [
    name.slice(start, name.length - end),
    near.slice(start, near.length - end),
  ];
  if (rest.length <= 1 && nearRest.length <= 1) return true;
  return rest.length === 2 && nearRest === `${rest[1]}${rest[0]}`;
}

function isKnown(name: string): boolean {
  if (plainPackages.has(name)) return true;
  const tables = [packageAttributes, fedoraAttributes, serviceOptions, serviceTemplates];
  return (
    tables.some((table) => Object.hasOwn(table, name)) ||
    Object.values(packageAttributes).some((mapped) => [mapped].flat().includes(name))
  );
}

function isAttributePath(text: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_'-]*(\.[A-Za-z_][A-Za-z0-9_'-]*)*$/.test(text);
}

function nameMapping(attributes: readonly string[], input: Input): void {
  const hint = importHint(attributes[0] ?? "");
  const message = `taken as ${attributes.join(" and ")} of nixpkgs`;
  const text = { code: "cloud-config/package-mapped", message } as const;
  if (hint === undefined) input.add("note", text);
  else input.add("warning", { ...text, hint });
}

/** On Debian the package starts its service; on NixOS nothing does that but an option. */
function warnOfService(name: string, input: Input): void {
  const template = getOwn(serviceTemplates, name);
  const option = getOwn(serviceOptions, name);
  if (template === undefined && option === undefined) return;
  input.add("warning", {
    code: "cloud-config/package-service",
    message: "the program is installed, and its service is neither set up nor started",
    hint:
      option === undefined
        ? `name the template ${template} under \`firstlight: templates\``
        : setOption(option),
  });
}

/** Texts, `[name, version]` pairs, and `{ apt: […], snap: […] }` by package manager. */
function packageNames(list: Input | undefined): readonly Named[] {
  if (list === undefined) return [];
  const items = typeof list.value === "string" ? [list] : list.items();
  return items.flatMap((item): readonly Named[] => {
    if (item.isMapping()) {
      return item.entries().flatMap(([manager, inner]) => byManager(manager, inner));
    }
    return item.isList() ? namedVersion(item) : named(item);
  });
}

function named(input: Input): readonly Named[] {
  const text = input.text();
  if (text === undefined) return [];
  // as apt takes them: a version, or the release that the package is taken from
  const [, name, version] = /^([A-Za-z0-9][A-Za-z0-9+.-]*)[=/](.+)$/.exec(text) ?? [];
  if (name === undefined || version === undefined) return [[text, input]];
  input.add("warning", versionOfPins);
  return [[name, input]];
}

function namedVersion(pair: Input): readonly Named[] {
  const [name, version, ...more] = pair.items();
  if (name === undefined || version === undefined || more.length > 0) {
    pair.expected(
      "the name of a package, or a list of name and version",
      "write `- htop`, or `- [htop, 3.2.1]`",
    );
    return [];
  }
  if (version.value !== "") nameVersion(version);
  return named(name);
}

function nameVersion(version: Input): void {
  version.unsupported(versionOfPins);
}

const versionOfPins = {
  code: "cloud-config/package-version",
  message: "the version of a package is that of the pinned nixpkgs",
  hint: "pin another nixpkgs to get another version",
} as const;

/** What snapd itself stands on. */
const partsOfSnap = /^(?:core(?:[0-9]{2})?|snapd|bare|snap-store|gtk-common-themes|gnome-.*)$/;

/** Names of snaps are mostly those of the programs. */
function ofSnap(list: Input): readonly Named[] {
  return packageNames(list).flatMap(([name, input]) => fromSnap(name, input));
}

/** A snap by the name of its program; none where it is only there for other snaps. */
function fromSnap(name: string, input: Input): readonly Named[] {
  if (partsOfSnap.test(name)) {
    leaveOut(input, "note", noCounterpart, "NixOS has no snap, and needs nothing of it");
    return [];
  }
  input.add("warning", {
    code: "cloud-config/package-snap",
    message: "NixOS has no snap; the package of this name is taken from nixpkgs",
    hint: "see at search.nixos.org that it is the same program, and write it without `snap`",
  });
  return [[name, input]];
}

/** The attributes of nixpkgs for what `snap install` would bring. */
export function attributesOfSnap(name: string, input: Input): readonly string[] {
  return fromSnap(name, input).flatMap(([each]) => readAttributes(each, input));
}

function byManager(manager: string, inner: Input): readonly Named[] {
  if (manager === "apt") return packageNames(inner);
  if (manager === "snap") return ofSnap(inner);
  inner.unsupported({
    code: "cloud-config/unsupported-key",
    message: "packages of this package manager do not exist on NixOS",
    hint: "name the package of nixpkgs",
  });
  return [];
}
