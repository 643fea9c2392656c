import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { canonicalJson, type Json } from "#core/canonical-json.ts";
import { fc } from "#core/fast-check.ts";
import { readYaml } from "#provisioner/userdata/yaml.ts";
import { findDisagreements, missingPyYaml } from "./pyyaml.ts";

interface RecordedDocument {
  readonly id: string;
  readonly text: string;
  readonly parses: boolean;
  readonly pyyaml: Json;
}

const file = path.resolve(import.meta.dirname, "../../../shared/data/cloud-config/documents.jsonl");
const absent = !existsSync(file);
const skip = absent ? `${file} is not there` : false;
const missing = missingPyYaml();
if (missing !== null && process.env["CI"] === "true") t.fail(`PyYAML is needed: ${missing}`);

function recordedDocuments(): readonly RecordedDocument[] {
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line));
}

t.test("cloud-init's own documents have the values PyYAML gave them", { skip }, async (t) => {
  const documents = recordedDocuments();
  t.ok(documents.length > 0);
  for (const { id, text, parses, pyyaml } of documents) {
    const { value, findings } = readYaml(text, { document: id });
    const refused = findings.some(({ level }) => level === "error");
    t.equal(refused, !parses, id);
    if (parses) t.equal(canonicalJson(value), canonicalJson(pyyaml), id);
  }
});

const skipMutants = skip || (missing === null ? false : `PyYAML is needed: ${missing}`);
t.test(
  "those documents, damaged, are read as PyYAML reads them",
  { skip: skipMutants },
  async (t) => {
    const texts = recordedDocuments().map(({ text }) => text);
    const scraps = [
      " ",
      "\n",
      "\t",
      ": ",
      "- ",
      "? ",
      "[",
      "]",
      "{",
      "}",
      ",",
      " #",
      "'",
      '"',
      "&a ",
      "*a",
      "!x ",
      "|\n",
      "\\",
      "<<: ",
      "---\n",
      "\r",
      "",
    ];
    const edit = fc.record({
      part: fc.double({ min: 0, max: 1, noNaN: true }),
      removed: fc.nat({ max: 3 }),
      scrap: fc.constantFrom(...scraps),
    });
    const damaged = fc
      .tuple(fc.constantFrom(...texts), fc.array(edit, { minLength: 1, maxLength: 3 }))
      .map(([text, edits]) =>
        edits.reduce((whole, { part, removed, scrap }) => {
          const at = Math.floor(part * whole.length);
          return whole.slice(0, at) + scrap + whole.slice(at + removed);
        }, text),
      );
    t.strictSame(findDisagreements(fc.sample(damaged, { seed: 1, numRuns: 5000 })), []);
  },
);
