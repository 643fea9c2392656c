import type { Input } from "../input.ts";
import type { CloudConfigModule } from "./module.ts";
import { packageAttributes } from "./package-names.ts";

/** `packages`: names of nixpkgs; the names that Debian has for the same program are mapped. */
export const packages: CloudConfigModule = {
  name: "package_update_upgrade_install",
  keys: ["packages"],
  translate({ config, draft }) {
    const wished = new Set<string>();
    for (const [name, input] of packageNames(config.get("packages"))) {
      const attribute = Object.hasOwn(packageAttributes, name) ? packageAttributes[name] : name;
      if (attribute === null || attribute === undefined) {
        input.unsupported({
          code: "cloud-config/package-unneeded",
          message: `${name} has no package of its own on NixOS`,
          hint: "what it does is part of the system, or of the options of a service",
        });
        continue;
      }
      if (!/^[A-Za-z_][A-Za-z0-9_'-]*(\.[A-Za-z_][A-Za-z0-9_'-]*)*$/.test(attribute)) {
        input.unsupported({
          code: "cloud-config/package-name",
          message: "this cannot be the name of a package in nixpkgs",
          hint: "look it up at search.nixos.org and write its attribute",
        });
        continue;
      }
      if (attribute !== name) {
        input.add("note", {
          code: "cloud-config/package-mapped",
          message: `taken as ${attribute} of nixpkgs`,
        });
      }
      draft.origin(["packages", wished.size], input);
      wished.add(attribute);
    }
    if (wished.size > 0) draft.spec.packages = [...wished];
  },
};

/** Texts, `[name, version]` pairs, and `{ apt: […], snap: […] }` by package manager. */
function packageNames(list: Input | undefined): readonly (readonly [string, Input])[] {
  return (list?.items() ?? []).flatMap((item): readonly (readonly [string, Input])[] => {
    if (item.isMapping())
      return item.entries().flatMap(([manager, inner]) => byManager(manager, inner));
    if (!item.isList()) {
      const name = item.looseText();
      return name === undefined ? [] : [[name, item]];
    }
    const [name, version] = item.items();
    if (version !== undefined) {
      version.unsupported({
        code: "cloud-config/package-version",
        message: "the version of a package is that of the pinned nixpkgs",
        hint: "pin another nixpkgs to get another version",
      });
    }
    const text = name?.looseText();
    return name === undefined || text === undefined ? [] : [[text, name]];
  });
}

function byManager(manager: string, inner: Input): readonly (readonly [string, Input])[] {
  if (manager === "apt") return packageNames(inner);
  inner.unsupported({
    code: "cloud-config/unsupported-key",
    message: `packages of ${manager} do not exist on NixOS`,
    hint: "name the package of nixpkgs",
  });
  return [];
}
