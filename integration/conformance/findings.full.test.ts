import t, { type Test } from "tap";
import type { Json } from "#core/canonical-json.ts";
import { type Finding, formatFinding } from "#core/finding.ts";
import { tryRender } from "#provisioner/render/try-render.ts";
import { checkCloudConfig, joinFindings } from "#provisioner/userdata/cloud-config/schema/check.ts";
import { isRefusal } from "#provisioner/userdata/one-fault.ts";
import { type Documents, translate } from "#provisioner/userdata/translate.ts";
import type { TranslationContext } from "#provisioner/userdata/translation.ts";
import { readYaml } from "#provisioner/userdata/yaml.ts";
import { withFaults } from "./bad-documents.ts";
import {
  absent,
  networkConfigs,
  type RecordedDocument,
  type RecordedVerdict,
  readLines,
} from "./cloud-config-set.ts";

t.setTimeout(900_000);

const documents = "cloud-config/documents.jsonl";
const verdicts = "cloud-config/schema-verdicts.jsonl";
/** Faults that one document is given at most. */
const maxFaults = 150;

const context: TranslationContext = {
  ...{ hostname: "node", publicKeys: [], defaultUser: "nixos", fetched: new Map() },
  inspect: (config, said) => joinFindings(said, checkCloudConfig(config)),
};

/** All that `validate` says of a document. */
function findingsOf(given: Documents): readonly Finding[] {
  const { spec, findings, origins } = translate(given, context);
  if (findings.some(({ level }) => level === "error")) return findings;
  return [...findings, ...tryRender(spec, { origins }).findings];
}

/** A finding says where it is, what is the matter and what to do; a note need not say the last. */
function isWhole({ level, line, column, message, hint }: Finding): boolean {
  const place = line !== null && line > 0 && column !== null && column > 0;
  return place && message.trim() !== "" && (level === "note" || (hint ?? "").trim() !== "");
}

/** Findings that say of one value, in other words, what another one says. */
function repeated(findings: readonly Finding[]): readonly Finding[] {
  const said = findings.filter(
    (finding) =>
      isRefusal(finding) ||
      /^user-data\/(?:no-value|taken-as-)|^cloud-config\/unknown-value/.test(finding.code),
  );
  const byPlace = Map.groupBy(said, ({ document, path, code }) =>
    JSON.stringify([document, code === "spec/invalid" ? "of the spec" : path]),
  );
  const words = new Set<string>();
  const twice = findings.filter((finding) => {
    const line = formatFinding(finding);
    return words.has(line) || words.add(line) === undefined;
  });
  return [...[...byPlace.values()].filter(({ length }) => length > 1).flat(), ...twice];
}

/** Tells the first findings of each kind that are not as they are to be. */
class Judge {
  readonly #t: Test;
  readonly #told = new Set<string>();
  count = 0;

  constructor(t: Test) {
    this.#t = t;
  }

  judge(id: string, given: Documents): void {
    this.count += 1;
    const findings = findingsOf(given);
    for (const finding of findings) if (!isWhole(finding)) this.#tell("not whole", id, finding);
    for (const finding of repeated(findings)) this.#tell("said twice", id, finding);
  }

  #tell(what: string, id: string, finding: Finding): void {
    const kind = `${what} ${finding.code} ${finding.message.replace(/[`"'][^`"']*[`"']|[0-9]+/g, "…")}`;
    if (this.#told.has(kind)) return;
    this.#told.add(kind);
    this.#t.fail(`${what}: ${id}: ${formatFinding(finding)}`);
  }
}

const userData = (text: string): Documents => ({
  userData: { document: "user-data", bytes: Buffer.from(text), format: "cloud-config" },
});
const network = (text: string): Documents => ({
  networkConfig: { document: "network-config", bytes: Buffer.from(text) },
});

t.test(
  "of each document of cloud-init, and of each that has one fault more, every finding says where, what and what to do, once",
  { skip: absent(documents) },
  async (t) => {
    const judge = new Judge(t);
    let turn = 0;
    for (const { id, text, parses, pyyaml } of readLines<RecordedDocument>(documents)) {
      judge.judge(id, userData(text));
      if (!parses || typeof pyyaml !== "object" || pyyaml === null) continue;
      turn += 1;
      let left = maxFaults;
      for (const { what, text: bad } of withFaults(pyyaml, turn)) {
        left -= 1;
        if (left < 0) break;
        judge.judge(`${id} ${what}`, userData(bad));
      }
    }
    t.ok(judge.count > 4000, `${judge.count}`);
  },
);

t.test("of each config with a verdict as well", { skip: absent(verdicts) }, async (t) => {
  const judge = new Judge(t);
  for (const { config } of readLines<RecordedVerdict>(verdicts)) {
    judge.judge(JSON.stringify(config), userData(JSON.stringify(config, null, 1)));
  }
  t.ok(judge.count > 200, `${judge.count}`);
});

t.test(
  "of each network config, and of each that has one fault more",
  { skip: absent("network") },
  async (t) => {
    const judge = new Judge(t);
    for (const [name, text] of networkConfigs()) {
      judge.judge(name, network(text));
      const value: Json = readYaml(text, { document: name }).value ?? null;
      for (let round = 0; round < 3; round += 1) {
        for (const { what, text: bad } of withFaults(value, round * 3)) {
          judge.judge(`${name} ${what}`, network(bad));
        }
      }
    }
    t.ok(judge.count > 3000, `${judge.count}`);
  },
);

t.test(
  "of each document that is cut off, or has a sign too many",
  { skip: absent(documents) },
  async (t) => {
    const judge = new Judge(t);
    const signs = [
      "\t",
      "{",
      "]",
      "'",
      "*x ",
      "&x ",
      "!x ",
      "%",
      "<<: 1\n",
      "|\n",
      ": ",
      "\0",
      "- ",
    ];
    let turn = 0;
    for (const { id, text } of readLines<RecordedDocument>(documents)) {
      for (let count = 1; count <= 6; count += 1) {
        turn += 1;
        const at = Math.floor((text.length * count) / 7);
        const sign = signs[turn % signs.length] ?? "";
        judge.judge(`${id} cut at ${at}`, userData(text.slice(0, at)));
        judge.judge(
          `${id} ${JSON.stringify(sign)} at ${at}`,
          userData(text.slice(0, at) + sign + text.slice(at)),
        );
      }
    }
    t.ok(judge.count > 1000, `${judge.count}`);
  },
);
