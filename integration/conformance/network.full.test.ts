import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { validate } from "#generated/provisioner/spec/v1.validate.js";
import { networkdFiles } from "#provisioner/render/network.ts";
import { fileOf, tryRender } from "#provisioner/render/try-render.ts";
import { readYaml } from "#provisioner/userdata/yaml.ts";
import { absent, countLeaves, networkConfigs, networkdFolder } from "./cloud-config-set.ts";
import { meaningOf, type UnitFile } from "./networkd-meaning.ts";
import { filesOfOptions, optionValue } from "./networkd-options.ts";
import { translateNetwork } from "./translate-recorded.ts";

const skip = absent("network");

t.test("each network config of cloud-init is accounted for, leaf by leaf", { skip }, async (t) => {
  const configs = networkConfigs();
  t.ok(configs.length > 0);
  for (const [name, text] of configs) {
    const { spec, findings, coverage } = translateNetwork(name, text);
    const { value } = readYaml(text, { document: name });
    t.ok(validate(spec), name);
    const { translated: used, agent, unsupported } = coverage;
    t.equal(used + agent + unsupported, countLeaves(value), name);
    t.ok(unsupported === 0 || findings.length > 0, `${name}: what is not used is named`);
    t.strictSame(
      findings.filter(({ level }) => level === "error"),
      [],
      name,
    );
  }
});

/** One statement that one side alone makes. */
function differences(name: string, theirs: readonly UnitFile[], ours: readonly UnitFile[]) {
  const [left, right] = [meaningOf(theirs), meaningOf(ours)];
  const lines: string[] = [];
  for (const device of new Set([...left.keys(), ...right.keys()])) {
    const a = left.get(device) ?? new Set<string>();
    const b = right.get(device) ?? new Set<string>();
    const line = (side: string, said: string) => `| ${name} | ${device} | ${side} | \`${said}\` |`;
    for (const said of a) if (!b.has(said)) lines.push(line("cloud-init", said));
    for (const said of b) if (!a.has(said)) lines.push(line("firstlight", said));
  }
  return lines.sort();
}

/** The rows of the decision, without the reason at their end. */
function listedDifferences(): readonly string[] {
  const decision = new URL("../../docs/decisions/0012-network.md", import.meta.url);
  return readFileSync(decision, "utf8")
    .split("\n")
    .filter((line) => /^\| [0-9]+ \|/.test(line))
    .map((line) => line.replace(/ [^|]+ \|$/, ""))
    .sort();
}

/** Name servers of the machine count on every interface, as cloud-init writes them. */
function withMachineNames(files: readonly UnitFile[], instance: string): readonly UnitFile[] {
  const setting = (option: string, key: string) => {
    const value = optionValue(instance, option);
    return Array.isArray(value) ? value.map((each) => `${key}=${each}\n`).join("") : "";
  };
  const names = setting("networking.nameservers", "DNS") + setting("networking.search", "Domains");
  if (names === "") return files;
  return files.map((file) =>
    file.name.endsWith(".network") ? { ...file, text: `${file.text}\n[Network]\n${names}` } : file,
  );
}

t.test(
  "what is rendered means what cloud-init's own files mean, or is listed",
  { skip },
  async (t) => {
    const found: string[] = [];
    let compared = 0;
    for (const [file, text] of networkConfigs()) {
      const name = path.basename(file, ".yaml");
      const { spec } = translateNetwork(file, text);
      const { sources, findings } = tryRender(spec);
      t.strictSame(
        findings.filter(({ level }) => level === "error"),
        [],
        `${name} renders`,
      );
      const result = { sources, findings };
      const ours = filesOfOptions(fileOf(result, "firstlight/network.nix"));
      t.ok(ours.length > 0, name);
      const bootstrap = networkdFiles(spec).map((each) => ({
        name: each.name,
        text: each.content,
      }));
      const instance = fileOf(result, "firstlight/instance.nix");
      const withNames = withMachineNames(ours, instance);
      t.strictSame(differences(name, bootstrap, withNames), [], `${name}: the same before`);
      const folder = networkdFolder(name);
      if (!existsSync(folder)) continue;
      compared += 1;
      const theirs = readdirSync(folder).map((each) => ({
        name: each,
        text: readFileSync(path.join(folder, each), "utf8"),
      }));
      found.push(...differences(name, theirs, withNames));
    }
    t.ok(compared >= 30, `${compared} compared`);
    t.strictSame(found.sort(), listedDifferences());
  },
);
