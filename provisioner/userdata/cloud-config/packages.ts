import type { Input } from "../input.ts";
import { getOwn } from "../own-key.ts";
import type { CloudConfigModule } from "./module.ts";
import { formOfPackage } from "./package-forms.ts";
import { packageAttributes } from "./package-names.ts";
import {
  serviceOptions,
  servicesAlone,
  servicesOtherwise,
  serviceTemplates,
} from "./package-services.ts";

type Named = readonly [name: string, input: Input];

/** `packages`: names of nixpkgs; the names that Debian has for the same program are mapped. */
export const packages: CloudConfigModule = {
  name: "package_update_upgrade_install",
  keys: ["packages"],
  rule:
    "Packages by their attribute in nixpkgs. Names that Debian has for the same program are mapped, " +
    "with a note; one that starts a service on Debian is the program alone, with a warning that names the " +
    "option for it; what NixOS needs no package for is left out, with a note, or a warning where it " +
    "is a service to be set up; so is, with a warning, a name whose form only Debian has (`libssl-dev`, `fonts-lato`). " +
    "`firstlight: packages` takes attributes as they stand. The pinned nixpkgs decides the versions. Packages of snap do not exist.",
  example: "packages:\n  - htop\n  - fd-find\n  - [jq, 1.7.1]\n  - apt: [ca-certificates]\n",
  translate({ config, draft }) {
    const wished = new Set<string>();
    for (const [name, input] of packageNames(config.get("packages"))) {
      const attribute = readAttribute(name, input);
      if (attribute === undefined || wished.has(attribute)) continue;
      draft.origin(["packages", wished.size], input);
      wished.add(attribute);
    }
    if (wished.size > 0) draft.spec.packages = [...wished];
  },
};

function readAttribute(name: string, input: Input): string | undefined {
  const instead = serviceInstead(name);
  if (instead !== undefined) return leaveOut(input, "warning", noCounterpart, instead);
  const known = getOwn(packageAttributes, name);
  if (known === null) return leaveOut(input, "note", noCounterpart, partOfSystem);
  if (known !== undefined) return take({ attribute: known, name, input });
  const form = formOfPackage(name);
  switch (form?.kind) {
    case undefined:
      return take({ attribute: name, name, input });
    case "mapped":
      return take({ attribute: form.attribute, name, input });
    case "guessed":
      nameGuess(form.attribute, input);
      return take({ attribute: form.attribute, name: form.attribute, input });
    case "service":
      return leaveOut(input, "warning", noCounterpart, setOption(form.option));
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
  message: "this looks like a name of Debian that nixpkgs does not have; it is left out",
} as const;
const partOfSystem = "what it does is part of the system; remove it to silence the note";
const asItStands = "an attribute that is right as it stands goes under `firstlight: packages`";

/** A service that is not set up loses something, a warning; what is part of every system does not. */
function leaveOut(
  input: Input,
  level: "note" | "warning",
  what: typeof noCounterpart | typeof ofDebian,
  hint: string,
): undefined {
  input.unsupported({ ...what, hint }, level);
}

/** The way to have a service for which no package is installed. */
function serviceInstead(name: string): string | undefined {
  const option = getOwn(servicesAlone, name);
  return option === undefined ? getOwn(servicesOtherwise, name) : setOption(option);
}

function setOption(option: string): string {
  return `set ${option} under \`firstlight: options\``;
}

function nameGuess(attribute: string, input: Input): void {
  input.add("warning", {
    code: "cloud-config/package-debian",
    message: `this looks like a name of Debian; ${attribute} of nixpkgs is taken for it`,
    hint: `write \`${attribute}\`, or the attribute that search.nixos.org has for it`,
  });
}

/** The attribute for a name, with what is to be said of it. */
function take(named: {
  readonly attribute: string;
  readonly name: string;
  readonly input: Input;
}): string | undefined {
  const { attribute, name, input } = named;
  if (!/^[A-Za-z_][A-Za-z0-9_'-]*(\.[A-Za-z_][A-Za-z0-9_'-]*)*$/.test(attribute)) {
    input.unsupported({
      code: "cloud-config/package-name",
      message: "this cannot be the name of a package in nixpkgs",
      hint: "look it up at search.nixos.org and write its attribute",
    });
    return undefined;
  }
  warnOfService(name, input);
  if (attribute !== name) {
    input.add("note", {
      code: "cloud-config/package-mapped",
      message: `taken as ${attribute} of nixpkgs`,
    });
  }
  return attribute;
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
  const name = input.text();
  return name === undefined ? [] : [[name, input]];
}

function namedVersion(pair: Input): readonly Named[] {
  const [name, version, ...more] = pair.items();
  if (name === undefined || version === undefined || more.length > 0) {
    pair.expected("the name of a package, or a list of name and version");
    return [];
  }
  if (version.value !== "") nameVersion(version);
  return named(name);
}

function nameVersion(version: Input): void {
  version.unsupported({
    code: "cloud-config/package-version",
    message: "the version of a package is that of the pinned nixpkgs",
    hint: "pin another nixpkgs to get another version",
  });
}

function byManager(manager: string, inner: Input): readonly Named[] {
  if (manager === "apt") return packageNames(inner);
  inner.unsupported({
    code: "cloud-config/unsupported-key",
    message: "packages of this package manager do not exist on NixOS",
    hint: "name the package of nixpkgs",
  });
  return [];
}
