import t from "tap";
import { changedOptions, noOptions, readOptions, type SetOptions } from "./plan-options.ts";

const origin = (line: number) => ({ document: "user-data", line, column: 1 });

/** What sources with these values and origins set. */
function options(
  values: Readonly<Record<string, string>>,
  origins: Readonly<Record<string, ReturnType<typeof origin> | null>> = {},
): SetOptions {
  const files: Readonly<Record<string, string>> = {
    "firstlight/values.json": JSON.stringify({ v: 1, options: values }),
    "firstlight/manifest.json": JSON.stringify({ v: 1, options: origins }),
  };
  const read = readOptions((path) => files[path]);
  if (read === undefined) throw new Error("expected options, got none");
  return read;
}

t.test("options come, go and change, each with the line that says so", async (t) => {
  const old = options(
    { "a.gone": "1", "b.stays": "true", "users.users.x.shell": "pkgs.fish" },
    { "a.gone": origin(3), "users.users.x": origin(4) },
  );
  const now = options(
    { "b.stays": "true", "c.come": '"x"', "users.users.x.shell": "pkgs.zsh" },
    { "users.users.x": origin(9), "c.come": null },
  );
  t.strictSame(changedOptions(old, now), [
    { option: "a.gone", change: "removed", before: "1", after: null, setBy: origin(3) },
    { option: "c.come", change: "added", before: null, after: '"x"', setBy: null },
    {
      option: "users.users.x.shell",
      change: "changed",
      before: "pkgs.fish",
      after: "pkgs.zsh",
      setBy: origin(9),
    },
  ]);
});

t.test("without a system before, everything is new", async (t) => {
  t.match(changedOptions(noOptions, options({ a: "1" })), [{ option: "a", change: "added" }]);
});

t.test("a difference behind the cut of a long value is one", async (t) => {
  const long = "x".repeat(5_000);
  const [change] = changedOptions(options({ a: `${long}1` }), options({ a: `${long}2` }));
  t.match(change, { change: "changed", after: /x… \(5001 characters, SHA-256 [0-9a-f]{16}…\)$/ });
  t.not(change?.before, change?.after);
});

t.test("sources that do not say their options are not taken for empty", async (t) => {
  t.equal(
    readOptions(() => undefined),
    undefined,
  );
  for (const text of [
    "",
    "[]",
    "null",
    '{"v":2,"options":{}}',
    '{"v":1}',
    '{"v":1,"options":null}',
  ])
    t.equal(
      readOptions(() => text),
      undefined,
      text,
    );
});
