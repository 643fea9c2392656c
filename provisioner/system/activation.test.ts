import t from "tap";
import { readActivation } from "./activation.ts";

const subject = { toplevel: "/s/new", before: "/s/old", after: "/s/new" } as const;
const read = (output: string) =>
  readActivation({ exitCode: 4, timedOut: false, relayed: false, output }, subject).message;

/** What NixOS prints of a unit that failed, after it has named all of them. */
const status = Array.from({ length: 40 }, (_, line) => `  status line ${line}`).join("\n");

t.test("the units that failed are named first, however much is said of them", async (t) => {
  const named = "warning: the following units failed: a.service, b.service";
  const message = read(`starting the following units: a.service\n${named}\n${status}\n`) ?? "";
  const [first, ...rest] = message.split("\n");
  t.equal(
    first,
    `activated, but a unit or a step of the activation failed (exit code 4): ${named}`,
  );
  t.equal(rest.length, 10);
  t.equal(rest.at(-1), "  status line 39");
});

t.test("where none is named its last words are what there is", async (t) => {
  const snippet = "Activation script snippet 'etc' failed (1)";
  t.match(read(`activating the configuration...\n${snippet}\n`), /\(exit code 4\): activating.*\n/);
  t.match(read(`${status}\n${snippet}\n`), new RegExp(`${snippet.replaceAll(/[()]/g, ".")}$`));
  t.notMatch(read(""), /:/);
});

t.test("a message is bounded", async (t) => {
  const units = Array.from({ length: 500 }, (_, index) => `unit-${index}.service`).join(", ");
  const long = `warning: the following units failed: ${units}\n${"x".repeat(9_000)}`;
  t.ok((read(long) ?? "").length < 2_200);
});
