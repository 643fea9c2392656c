import t, { type Test } from "tap";
import type { Field, Quote } from "./hostile-fields.ts";
import { fieldSets, jsonQuote, yamlQuote } from "./hostile-fields.ts";
import {
  evaluateModules,
  evaluateSystem,
  type Fate,
  follower,
  stands,
  tagged,
} from "./hostile-follow.ts";
import { hostileStrings, hugeStrings } from "./hostile-strings.ts";
import { skipWithoutNix } from "./nix-eval.ts";

t.setTimeout(300_000);

const seed = 20_260_131;
const strings = hostileStrings(1_000, seed);
const batch = 100;
const skip = skipWithoutNix();

/** One text in some fields, as one document. */
interface Case {
  readonly fields: readonly Field[];
  readonly text: string;
  readonly atEnd: boolean;
  readonly quote: Quote;
}

for (const [name, fields] of Object.entries(fieldSets)) {
  t.test(`1,000 hostile texts in every field of a ${name}`, { skip }, async (t) => {
    const cases = strings.map((text, index): Case => {
      return { fields, text, atEnd: index % 2 === 0, quote: index % 4 < 2 ? jsonQuote : yamlQuote };
    });
    await literalOrRefused(t, cases);
  });
}

t.test("a megabyte in every field, one after another", { skip }, async (t) => {
  const fields = Object.values(fieldSets).flat();
  const cases = hugeStrings.flatMap((text) =>
    fields.map((field): Case => ({ fields: [field], text, atEnd: true, quote: jsonQuote })),
  );
  await literalOrRefused(t, cases);
});

t.test("a whole system of the stand-in, evaluated with all of it", { skip }, async (t) => {
  const follow = await follower();
  const files: Field = {
    at: ["write_files"],
    name: "write_files",
    value: (all) =>
      (JSON.parse(all) as string[]).map((content, index) => ({
        path: `/etc/hostile/${index}`,
        content,
      })),
  };
  for (let from = 0; from < strings.length; from += 250) {
    const some = strings.slice(from, from + 250).filter((text) => isLiteral(text));
    const fate = follow([files], () => JSON.stringify(some), jsonQuote);
    t.equal(fate.named.size, 0);
    t.same(evaluateSystem(fate, "hostile/"), some, `from ${from}`);
  }
});

/** What goes into a file that everybody may read: text without NUL, of whole characters. */
function isLiteral(text: string): boolean {
  return text.isWellFormed() && !text.includes("\0");
}

/** Each text comes out of each field as it is, or a finding names the field, or all is refused. */
async function literalOrRefused(t: Test, cases: readonly Case[]): Promise<void> {
  const follow = await follower();
  const wrong: string[] = [];
  let literal = 0;
  let refused = 0;
  for (let from = 0; from < cases.length; from += batch) {
    const some = cases.slice(from, from + batch).map(({ fields, text, atEnd, quote }) => {
      const textOf = tagged(fields, text, atEnd);
      return { fields, textOf, fate: follow(fields, textOf, quote) };
    });
    const words = evaluateModules(some.map(({ fate }) => fate));
    for (const [index, { fields, textOf, fate }] of some.entries()) {
      for (const field of fields) {
        // One that is warned of may come out as it is all the same.
        if (stands(field, textOf(field), fate, words[index] ?? [])) literal += 1;
        else if (isRefused(field, fate)) refused += 1;
        else wrong.push(`${field.name}: ${JSON.stringify(textOf(field)).slice(0, 100)}`);
      }
    }
  }
  t.same(wrong.slice(0, 20), [], `none is lost, changed or evaluated (${wrong.length})`);
  t.ok(literal > cases.length / 10, `much is literal: ${literal}`);
  t.ok(refused > cases.length / 10, `much is refused: ${refused}`);
}

function isRefused(field: Field, { rendered, named }: Fate): boolean {
  return rendered === undefined || named.has(field);
}
