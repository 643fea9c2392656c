import { attrs, bind, bool, int, list, type NixExpr, str } from "#provisioner/nix-language/tree.ts";
import type { NetworkdUnit, Section, SettingValue } from "./sections.ts";
import { optionOf } from "./sections.ts";

/** The value of `systemd.network.<kind>s.<name>` that NixOS writes the same file from. */
export function unitOptions({ kind, sections }: NetworkdUnit): NixExpr {
  const byOption = new Map<string, { readonly repeats: boolean; readonly of: Section[] }>();
  for (const section of sections) {
    const { option, repeats } = optionOf(kind, section.name);
    const known = byOption.get(option) ?? { repeats, of: [] };
    byOption.set(option, { repeats, of: [...known.of, section] });
  }
  return attrs(
    [...byOption].map(([option, { repeats, of }]) => {
      if (repeats) return bind(option, list(of.map(settingsAsAttrs)));
      const settings = of.flatMap((section) => section.settings);
      const [[key, value] = ["", ""]] = settings;
      return settings.length === 1
        ? bind([option, key], settingValue(value))
        : bind(option, settingsAsAttrs({ name: "", settings }));
    }),
  );
}

function settingsAsAttrs({ settings }: Section): NixExpr {
  return attrs(settings.map(([key, value]) => bind(key, settingValue(value))));
}

function settingValue(value: SettingValue): NixExpr {
  if (typeof value === "boolean") return bool(value);
  if (typeof value === "number") return int(value);
  return typeof value === "string" ? str(value) : list(value.map(str));
}
