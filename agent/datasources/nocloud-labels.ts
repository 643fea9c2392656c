import type { Files } from "#core/io.ts";
import { readYaml } from "#provisioner/userdata/yaml.ts";
import { settingsDocuments } from "./cloud-init-settings.ts";
import { objectIn } from "./clouds/json-values.ts";
import type { Observe } from "./datasource.ts";

const usual = ["cidata", "CIDATA"];

/**
 * Labels of disks that are seeds of NoCloud: what `fs_label` under `datasource: NoCloud:` of cloud-init's
 * settings says in the place of `cidata`, also in capital and in small letters; none where it is null or
 * empty. The last place that says it counts.
 */
export function readSeedLabels(files: Files, observe: Observe): readonly string[] {
  let labels: readonly string[] = usual;
  for (const [where, document] of settingsDocuments(files)) {
    if (!document.includes("fs_label")) continue;
    const { value } = readYaml(document, { document: where });
    if (value === undefined) observe(`${where}: names fs_label and is no YAML`);
    const { fs_label: said } = objectIn(objectIn(objectIn(value)["datasource"])["NoCloud"]);
    if (said === undefined) continue;
    const label = said ?? "";
    if (typeof label === "object" || typeof label === "boolean") {
      observe(`${where}: fs_label: a text was expected`);
      continue;
    }
    const text = String(label);
    observe(`${where}: fs_label: ${text === "" ? "none" : JSON.stringify(text)}`);
    labels = text === "" ? [] : [...new Set([text, text.toLowerCase(), text.toUpperCase()])];
  }
  return labels;
}
