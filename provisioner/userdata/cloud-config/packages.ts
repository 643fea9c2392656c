import type { Input } from "../input.ts";
import { getOwn } from "../own-key.ts";
import type { CloudConfigModule } from "./module.ts";
import {
  packageAttributes,
  serviceOptions,
  servicePackages,
  serviceTemplates,
} from "./package-names.ts";

type Named = readonly [name: string, input: Input];

/** `packages`: names of nixpkgs; the names that Debian has for the same program are mapped. */
export const packages: CloudConfigModule = {
  name: "package_update_upgrade_install",
  keys: ["packages"],
  rule:
    "Packages by their attribute in nixpkgs. Names that Debian has for the same program are mapped, " +
    "with a note; one that starts a service on Debian is the program alone, with a warning that names the " +
    "option for it; what NixOS needs no package for is left out, with a note, or a warning where it " +
    "is a service to be set up. The pinned nixpkgs decides the versions. Packages of snap do not exist.",
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
  const service = getOwn(servicePackages, name);
  const attribute = service === undefined ? attributeOf(name) : null;
  if (attribute === null) {
    nameUnneeded(input, service);
    return undefined;
  }
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
      template === undefined
        ? `set ${option} under \`firstlight: options\``
        : `name the template ${template} under \`firstlight: templates\``,
  });
}

/** A service that is not set up loses something; what is part of every system does not. */
function nameUnneeded(input: Input, service: string | undefined): void {
  input.unsupported(
    {
      code: "cloud-config/package-unneeded",
      message: "this package has no counterpart of its own on NixOS",
      hint: service ?? "what it does is part of the system; remove it to silence the note",
    },
    service === undefined ? "note" : "warning",
  );
}

/** Attribute of nixpkgs for a name of Debian; `null` where NixOS needs none. */
function attributeOf(name: string): string | null {
  const known = getOwn(packageAttributes, name);
  if (known !== undefined) return known;
  if (/^linux-(image|headers|modules)\b/.test(name) || /^lib[a-z0-9.+-]+-dev$/.test(name)) {
    return null;
  }
  return name.replace(/^python3-(?=[a-z])/, "python3Packages.");
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
  version.unsupported({
    code: "cloud-config/package-version",
    message: "the version of a package is that of the pinned nixpkgs",
    hint: "pin another nixpkgs to get another version",
  });
  return named(name);
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
