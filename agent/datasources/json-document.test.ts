import t from "tap";
import { fc } from "#core/fast-check.ts";
import { isFault } from "#core/fault.ts";
import { jsonFinding, readJson } from "./json-document.ts";

function messageFor(text: string): string {
  try {
    readJson(Buffer.from(text), "x.json", "place");
    return "";
  } catch (error) {
    if (isFault(error)) return error.message;
    throw error;
  }
}

t.test("what is no JSON is said with its place and without its text", async (t) => {
  const cases: Record<string, string> = {
    "": "no JSON, it ends too early",
    '{"canary": tr': "no JSON, it ends too early",
    '{\n  "a": canary\n}': "no JSON in line 2, column 8",
    'canary: "yaml"\n': "no JSON in line 1, column 1",
    '["a",\r\n "b" "canary"]': "no JSON in line 2, column 6",
    '{"a": 1} canary': "no JSON in line 1, column 10",
    '["line\nbreak"]': "no JSON in line 1, column 7",
    "[NaN]": "no JSON in line 1, column 2",
  };
  for (const [text, expected] of Object.entries(cases)) {
    t.equal(messageFor(text), `place: x.json: ${expected}`, JSON.stringify(text));
  }
});

t.test("what is JSON is read, whatever it holds, and nothing else is", async (t) => {
  const value = fc.jsonValue({ maxDepth: 5 });
  fc.assert(
    fc.property(value, (json) => {
      const text = JSON.stringify(json);
      return JSON.stringify(readJson(Buffer.from(text), "x.json", "place").value) === text;
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.nat(), (text, seed) => {
      const broken = `{"a": "b"${text.slice(seed % 8)}`;
      const message = messageFor(broken);
      return message === "" || /^place: x\.json: no JSON(?: in line|, it ends)/.test(message);
    }),
  );
  t.equal(messageFor('\ufeff{"a": 1}'), "", "a byte order mark is left out");
});

t.test("a finding stands where its key does, nowhere when that is not known", async (t) => {
  const document = readJson(Buffer.from('{\n\t"a": {"b": [1]}\n}'), "x.json", "place");
  const about = { level: "note", code: "datasource/not-read", message: "m", hint: null } as const;
  t.match(jsonFinding(document, ["a", "b"], about), { path: "a.b", line: 2, column: 8 });
  t.match(jsonFinding(document, ["c"], about), { path: "c", line: null, column: null });
});
