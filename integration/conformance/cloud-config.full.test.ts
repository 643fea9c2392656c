import t, { type Test } from "tap";
import { hasErrors } from "#core/finding.ts";
import { validate } from "#generated/provisioner/spec/v1.validate.js";
import { tryRender } from "#provisioner/render/try-render.ts";
import { cloudConfigModules } from "#provisioner/userdata/cloud-config/table.ts";
import type { Translation } from "#provisioner/userdata/translation.ts";
import { unnamedLeaves } from "#provisioner/userdata/unnamed-leaves.ts";
import { sniff } from "#provisioner/userdata/user-data-format.ts";
import {
  absent,
  countLeaves,
  type RecordedDocument,
  type RecordedVerdict,
  readLines,
} from "./cloud-config-set.ts";
import { recordedContext, translateConfig } from "./translate-recorded.ts";

const documents = "cloud-config/documents.jsonl";
const verdicts = "cloud-config/schema-verdicts.jsonl";
const translated = new Set(cloudConfigModules.flatMap(({ keys }) => keys));

function countFates({ coverage }: Translation): number {
  return coverage.translated + coverage.agent + coverage.unsupported;
}

t.test(
  "each document of cloud-init is accounted for, leaf by leaf",
  { skip: absent(documents) },
  async (t) => {
    let count = 0;
    for (const { id, text, parses, pyyaml } of readLines<RecordedDocument>(documents)) {
      const format = sniff(text);
      if (!parses || (format !== "cloud-config" && format !== "unknown")) continue;
      count += 1;
      const translation = translateConfig(text);
      t.ok(validate(translation.spec), id);
      t.equal(countFates(translation), countLeaves(pyyaml), id);
      t.same(
        unnamedLeaves(pyyaml, { ...recordedContext, fetched: new Map() }),
        [],
        `${id}: all is named`,
      );
      checkEnd(t, id, translation);
    }
    t.ok(count > 100, "the set holds documents");
  },
);

/** A document ends in files of Nix that only set what NixOS has, or in errors that say where and why. */
function checkEnd(t: Test, id: string, { spec, findings, origins }: Translation): void {
  const errors = findings.filter(({ level }) => level === "error");
  for (const { path, line, message } of errors) {
    t.ok(line !== null && message !== "" && (path !== "" || line > 0), `${id}: ${message}`);
  }
  for (const { level, code, path, hint, line } of findings) {
    const isRefused = code === "cloud-config/unsupported-key" && level !== "note";
    if (isRefused) t.ok(path !== "" && line !== null && hint, `${id}: ${path} has another way`);
  }
  if (errors.length > 0) return;
  const said = tryRender(spec, { origins }).findings.filter(({ level }) => level === "error");
  for (const { line, message } of said) t.ok(line !== null && message !== "", `${id}: ${message}`);
}

/** Top-level keys of a document in which something that cloud-config knows, or does not know, is not used. */
function keysWith(code: string, { findings }: Translation): readonly string[] {
  const found = findings.filter((each) => each.code === code && each.level !== "note");
  return [...new Set(found.map(({ path }) => path.split(".")[0] ?? ""))];
}

t.test(
  "of at least 73 % of the documents no key is refused, nor any below it",
  { skip: absent(documents) },
  async (t) => {
    const counts = new Map<string, number>();
    let count = 0;
    let whole = 0;
    let foreign = 0;
    for (const { text, parses, pyyaml } of readLines<RecordedDocument>(documents)) {
      const format = sniff(text);
      if (!parses || (format !== "cloud-config" && format !== "unknown")) continue;
      if (typeof pyyaml !== "object" || pyyaml === null || Array.isArray(pyyaml)) continue;
      const translation = translateConfig(text);
      // Documents of tests of merging and of the schema have keys that cloud-init itself does not know.
      if (keysWith("cloud-config/unknown-key", translation).length > 0) {
        foreign += 1;
        continue;
      }
      count += 1;
      const refused = keysWith("cloud-config/unsupported-key", translation);
      if (refused.length === 0) whole += 1;
      for (const key of refused) counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    const most = [...counts].sort(([, a], [, b]) => b - a).slice(0, 30);
    const percent = ((100 * whole) / count).toFixed(1);
    t.comment(`${whole} of ${count} documents (${percent} %); ${foreign} have keys that are none`);
    t.comment(most.map(([key, times]) => `${key} ${times}`).join(", "));
    t.ok(whole / count >= 0.73, `${whole} of ${count}`);
  },
);

/** Keys of a config that its verdict of types is about, as far as firstlight translates them. */
function wrongKeys({ verdict, error }: RecordedVerdict): readonly string[] {
  if (verdict !== "invalid") return [];
  const errors = (error ?? "")
    .replace(/^Cloud config schema errors: /, "")
    .split(/, (?=[\w.-]+: )/);
  return errors
    .filter((line) => / is not of type /.test(line))
    .map((line) => line.split(/[.:]/)[0] ?? "")
    .filter((key) => translated.has(key));
}

/**
 * Measured on the recorded set with `node integration/conformance/cloud-config.full.test.ts`: of the
 * 90 configs that cloud-init's schema takes none has an error. Of 33 keys that are translated and have
 * a value of the wrong type, all are named, 28 with an error; the others are a `keyboard.model` without a
 * value, `locale_configfile`, `ntp.peers` and `ntp.allow`, which are not used whatever they hold, and
 * `chpasswd.expire` where no password is set.
 */
t.test(
  "what cloud-init's schema refuses has a finding, what it takes has no error",
  { skip: absent(verdicts) },
  async (t) => {
    for (const recorded of readLines<RecordedVerdict>(verdicts)) {
      const text = JSON.stringify(recorded.config);
      const translation = translateConfig(text);
      t.ok(validate(translation.spec), text);
      t.equal(countFates(translation), countLeaves(recorded.config), text);
      if (recorded.verdict !== "invalid") t.notOk(hasErrors(translation.findings), text);
      for (const key of wrongKeys(recorded)) {
        const about = translation.findings.filter(({ path }) => path.split(".")[0] === key);
        t.ok(
          about.some(({ level }) => level !== "note"),
          text,
        );
      }
    }
  },
);
