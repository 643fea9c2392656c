import t from "tap";
import type { Json } from "#core/canonical-json.ts";
import { Secret } from "#core/secret.ts";
import { eventRules } from "./events.ts";
import { exampleOf } from "./example.ts";
import { fitEvent } from "./fit-event.ts";
import { maxMessageBytes } from "./message.ts";
import { bodySchemas } from "./schemas.ts";

/** Makes every free text and every list of an example far too long; what has a fixed set of values stays. */
function swell(value: Json, schema: { readonly [keyword: string]: Json }, text: string): Json {
  if (schema["enum"] !== undefined || schema["pattern"] !== undefined) return value;
  if (typeof value === "string") return text.repeat(50_000);
  const items = schema["items"] as { readonly [keyword: string]: Json } | undefined;
  if (Array.isArray(value) && items !== undefined)
    return Array(500).fill(swell(value[0] ?? null, items, text));
  const properties = schema["properties"] as
    | Record<string, { readonly [keyword: string]: Json }>
    | undefined;
  if (properties === undefined) return value;
  return Object.fromEntries(
    Object.entries(value as object).map(([key, item]) => [
      key,
      swell(item, properties[key] ?? {}, text),
    ]),
  );
}

t.test("however much a body says, what is left of it fits its schema", async (t) => {
  for (const [kind, { schema: file }] of Object.entries(eventRules)) {
    const schema = bodySchemas[file];
    if (schema === undefined) throw new Error(`no schema for ${kind}`);
    const { validate } = await import(`#generated/protocol/messages/${file}.validate.js`);
    for (const text of ["🦊", "\u0001"]) {
      const fitted = fitEvent(swell(exampleOf(schema), schema, text));
      t.ok(validate(fitted), `${kind}: ${JSON.stringify(validate.errors)}`);
      t.ok(JSON.stringify(fitted).isWellFormed());
      t.ok(
        Buffer.byteLength(JSON.stringify(fitted)) < maxMessageBytes - 8 * 1024,
        "it goes into a message",
      );
    }
  }
});

t.test("what fits is left as it is, and what was cut says so", async (t) => {
  const body = { message: "x".repeat(4096), path: "a", stages: [{ stage: "build", ms: 1 }] };
  t.same(fitEvent(body), body);
  const { message } = fitEvent({ message: "x".repeat(5000) });
  t.equal(message.length, 4096);
  t.match(message, /x… \(5000 characters\)$/);
});

t.test("a secret is not looked into", async (t) => {
  const secret = new Secret("hunter2");
  t.equal(fitEvent({ secret }).secret, secret);
});
