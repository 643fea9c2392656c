import t from "tap";
import { fc } from "#core/fast-check.ts";
import { readFactsText } from "./read-facts-text.ts";

const report = { version: 1, system: "x86_64-linux", hardware: { cpu: [{ name: '{"}\\' }] } };
const json = JSON.stringify(report, null, 2);

t.test("JSON is found with a log before and behind it", async (t) => {
  const logs = [
    "",
    "\ufeff",
    "warning: Nix search path entry '/x' does not exist, ignoring\n",
    "{ is how a line of a log begins\n",
    "{}\n",
    'evaluating "{\n',
    "unpacking {a,b}\r\n",
    '{"level":"info","text":"begun"}\n',
  ];
  for (const log of logs) {
    t.same(readFactsText("f", `${log}${json}`), report, log);
    t.same(readFactsText("f", `${log}${json}\n`), report, log);
  }
  t.same(readFactsText("f", `${json}\nreport written {\n`), report, "behind it");
});

t.test("a file that was cut off is named with its last byte, wherever that is", async (t) => {
  const logs = ["", "warning: ü\n", '{"n":1}\n'];
  const cuts = [json, JSON.stringify(report)].flatMap((whole) =>
    [9, 20, 60, whole.length - 1].map((bytes) => whole.slice(0, bytes)),
  );
  for (const text of logs.flatMap((log) => cuts.map((cut) => `${log}${cut}`))) {
    t.throws(() => readFactsText("f.json", text), {
      code: "facts/invalid",
      message: `f.json: cut off at byte ${Buffer.byteLength(text)}: the JSON has no end`,
      hint: /make or copy the file anew/,
    });
  }
});

t.test("what is no JSON is named with the byte that is wrong", async (t) => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["", /f: expected JSON: there is none in it/],
    ["only a log\n", /there is none in it/],
    ['{ "version": 1, oops }', /f: expected JSON: byte 16 is wrong/],
    ['log ü\n{ "version": 1, oops }', /f: expected JSON: byte 23 is wrong/],
  ];
  for (const [text, message] of cases)
    t.throws(() => readFactsText("f", text), { code: "facts/invalid", message }, text);
});

t.test("a text of megabytes is read as any other", async (t) => {
  const long = "{a\\".repeat(1_000_000);
  const value = { ...report, long };
  t.same(readFactsText("f", `log\n${JSON.stringify(value)}`), value);
  const bytes = 4_000_000;
  t.throws(() => readFactsText("f", `log\n${JSON.stringify(value).slice(0, bytes)}`), {
    message: `f: cut off at byte ${bytes + 4}: the JSON has no end`,
  });
});

t.test("whatever the text is, it is JSON or named", async (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), fc.stringMatching(/^[{}"\\\n a]*$/)), (text) => {
      try {
        readFactsText("f", text);
        return true;
      } catch (error) {
        return (error as { readonly code?: string }).code === "facts/invalid";
      }
    }),
  );
  t.pass("held");
});
