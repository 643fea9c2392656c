import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { canonicalJson, type Json } from "#core/canonical-json.ts";
import { readYaml } from "#provisioner/userdata/yaml.ts";

/** Debian's Python, whose PyYAML is the one cloud-init runs on; another Python in PATH may have none. */
const python = "/usr/bin/python3";

/** What PyYAML makes of a document: the JSON of its value in our spelling, or why it refuses it. */
export type PyYamlVerdict =
  | { readonly accepts: true; readonly value: Json }
  | { readonly accepts: false; readonly reason: string };

/**
 * Values JSON lacks are spelled as `readYaml` documents it. The loader is `SafeLoader` but for
 * sets, which keep their order.
 */
const program = `
import base64, datetime, json, math, sys, yaml

class Loader(yaml.SafeLoader):
    def keep_order(self, node):
        keys = []
        yield keys
        keys.extend(self.construct_mapping(node))

Loader.add_constructor('tag:yaml.org,2002:set', Loader.keep_order)

def scalar(value):
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2 ** 53 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else json.dumps(value)
    if isinstance(value, bytes):
        try:
            return value.decode('utf-8')
        except UnicodeDecodeError:
            return base64.b64encode(value).decode('ascii')
    return str(value)

def plain(value, above=()):
    if id(value) in above:
        raise ValueError('recursive')
    if isinstance(value, dict):
        return {key(name): plain(item, above + (id(value),)) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, above + (id(value),)) for item in value]
    return scalar(value)

def key(name):
    if isinstance(name, str):
        return name
    if name is None or isinstance(name, (bool, int, float)):
        return json.dumps(name)
    return scalar(name)

def verdict(text):
    try:
        return {'accepts': True, 'value': plain(yaml.load(text, Loader=Loader))}
    except Exception as error:
        return {'accepts': False, 'reason': type(error).__name__ + ' ' + str(error)[:400]}

json.dump([verdict(text) for text in json.load(sys.stdin)], sys.stdout)
`;

/** Why PyYAML cannot be asked, or `null` when it can. */
export function missingPyYaml(): string | null {
  if (!existsSync(python)) return `${python} is not there`;
  try {
    execFileSync(python, ["-c", "import yaml"], { stdio: "pipe" });
    return null;
  } catch {
    return "python3-yaml is not installed";
  }
}

/** What PyYAML makes of each text; one Python process for all of them. */
export function askPyYaml(texts: readonly string[]): readonly PyYamlVerdict[] {
  const output = execFileSync(python, ["-c", program], {
    input: JSON.stringify(texts),
    maxBuffer: 1024 * 1024 * 1024,
  });
  return JSON.parse(output.toString("utf8"));
}

/** What Python's `str` makes of the value that PyYAML reads from each text. */
export function askPythonTexts(texts: readonly string[]): readonly string[] {
  const ask =
    "import json, sys, yaml; print(json.dumps([str(yaml.safe_load(t)) for t in json.load(sys.stdin)]))";
  const output = execFileSync(python, ["-c", ask], { input: JSON.stringify(texts) });
  return JSON.parse(output.toString("utf8"));
}

/** A text that `readYaml` and PyYAML read differently. */
export interface Disagreement {
  readonly text: string;
  readonly pyyaml: string;
  readonly ours: string;
}

/**
 * The texts that are not read alike: one refuses what the other takes, or the values differ.
 * Aliases inside what they name are left out: `readYaml` refuses them all, PyYAML not all.
 */
export function findDisagreements(texts: readonly string[]): readonly Disagreement[] {
  const verdicts = askPyYaml(texts);
  return texts.flatMap((text, index): Disagreement[] => {
    const verdict = verdicts[index];
    const { value, findings } = readYaml(text, { document: "user-data" });
    const error = findings.find(({ level }) => level === "error");
    if (error?.code === "yaml/recursive-alias") return [];
    const ours = error === undefined ? canonicalJson(value) : "refused";
    const theirs = verdict?.accepts === true ? canonicalJson(verdict.value) : "refused";
    if (ours === theirs) return [];
    const reason = verdict?.accepts === false ? `: ${verdict.reason}` : "";
    return [{ text, pyyaml: theirs + reason, ours: `${ours}${error ? `: ${error.message}` : ""}` }];
  });
}
