import { isSecretRef } from "#core/secret.ts";
import { attrs, bind, bool, int, type NixExpr, str } from "#provisioner/nix-language/tree.ts";
import { variableOf } from "../network-secret-files.ts";
import { isList, type KeyfileValue, type Profile } from "./sections.ts";

/**
 * The value of `networking.networkmanager.ensureProfiles.profiles.<name>` that NixOS writes the profile
 * from, putting in the variables that secrets are.
 */
export function profileOptions({ sections }: Profile): NixExpr {
  return attrs(
    sections.map(({ name, settings }) => {
      const [[key, value] = ["", ""]] = settings;
      return settings.length === 1
        ? bind([name, key], settingValue(value))
        : bind(name, attrs(settings.map(([each, said]) => bind(each, settingValue(said)))));
    }),
  );
}

function settingValue(value: KeyfileValue): NixExpr {
  if (typeof value === "boolean") return bool(value);
  if (typeof value === "number") return int(value);
  if (typeof value === "string") return str(escaped(value));
  if (isSecretRef(value)) return str(`\${${variableOf(value.secretRef)}}`);
  return isList(value) ? str(value.map((item) => `${listItem(item)};`).join("")) : str("");
}

/** NixOS writes values as they are: what a keyfile has another meaning for is written so (GKeyFile). */
function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replace(/^ +/, (blanks) => "\\s".repeat(blanks.length));
}

function listItem(text: string): string {
  return escaped(text).replaceAll(";", "\\;");
}
