import { readdirSync, readFileSync } from "node:fs";
import t from "tap";
import type { Json } from "#core/canonical-json.ts";
import { asyncApiDocument } from "./asyncapi.ts";
import { commandNames } from "./command-names.ts";
import { eventRules } from "./events.ts";
import { exampleOf } from "./example.ts";
import { largestBytes } from "./largest.ts";
import { maxMessageBytes } from "./message.ts";
import { bodiesOf, bodySchemas, envelopeSchemas } from "./schemas.ts";
import { type TopicName, type TopicRule, topicRules } from "./topics.ts";
import { messageSize, topicsPage } from "./topics-page.ts";

const root = new URL("../", import.meta.url);
const text = (path: string) => readFileSync(new URL(path, root), "utf8");
const { version } = JSON.parse(text("package.json")) as { version: string };
const document = asyncApiDocument(version);
const schemas = [...Object.values(envelopeSchemas), ...Object.values(bodySchemas)];

t.test(
  "the documents in docs are what the tables say now (node tools/write-protocol-docs.ts)",
  async (t) => {
    t.same(JSON.parse(text("docs/asyncapi.json")), document);
    t.equal(text("docs/topics.md"), topicsPage());
  },
);

t.test(
  "every reference leads somewhere, and every channel and operation has what AsyncAPI 3.0 asks for",
  async (t) => {
    let references = 0;
    walk(document, (value) => {
      if (typeof value["$ref"] !== "string") return;
      references += 1;
      const target = value["$ref"]
        .slice(2)
        .split("/")
        .reduce<Json | undefined>((at, key) => (at as Record<string, Json>)?.[key], document);
      t.not(target, undefined, value["$ref"]);
    });
    t.ok(references > 40);
    const channels = document["channels"] as Record<string, Record<string, Json>>;
    t.same(Object.keys(channels), Object.keys(topicRules));
    for (const [name, channel] of Object.entries(channels)) {
      const named = [...String(channel["address"]).matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      t.same(
        Object.keys(channel["parameters"] as object),
        named,
        `${name}: its parameters are those of its address`,
      );
    }
    const operations = document["operations"] as Record<string, Record<string, Json>>;
    for (const [name, operation] of Object.entries(operations)) {
      t.match(operation["action"], /^(send|receive)$/, name);
      t.ok((operation["messages"] as readonly Json[]).length > 0, name);
      t.match(operation["bindings"], { mqtt: { retain: Boolean, qos: Number } }, name);
    }
  },
);

t.test("every schema file is known, and every leaf has a description and examples", async (t) => {
  const files = readdirSync(new URL("protocol/messages/", root)).map((file) =>
    file.replace(".schema.json", ""),
  );
  const ids = files.map((file) => `https://firstlight.dev/schema/message-${file}-v1.json`);
  t.same(schemas.map((schema) => schema.$id).sort(), ids.sort());
  for (const rule of Object.values(eventRules)) t.ok(bodySchemas[rule.schema], rule.schema);
  for (const schema of schemas) {
    walk(schema, (value, path) => {
      const type = value["type"];
      if (typeof type !== "string") return;
      t.type(value["description"], "string", `${schema.title} ${path}: description`);
      if (type === "object" && value["properties"] !== undefined)
        t.type(value["additionalProperties"], "boolean", path);
      if (type === "array") t.type(value["maxItems"], "number", `${schema.title} ${path}: bounded`);
      if (["string", "integer", "number", "boolean"].includes(type))
        t.ok(value["examples"], `${schema.title} ${path}: examples`);
      if (type === "string")
        t.ok(
          value["enum"] ?? value["pattern"] ?? value["maxLength"],
          `${schema.title} ${path}: bounded`,
        );
    });
  }
});

t.test(
  "every message has a size: of its example, and of the largest that its schema allows",
  async (t) => {
    for (const [name, rule] of Object.entries(topicRules) as [TopicName, TopicRule][]) {
      for (const body of bodiesOf(name)) {
        const { example, most } = messageSize(rule, body);
        t.ok(example <= 5_000, `${body.schema.title}: ${example} bytes`);
        t.ok(example <= most && most <= maxMessageBytes, `${body.schema.title}: at most ${most}`);
        // Signed metadata is bounded by the message as a whole; everything else part by part.
        if (name !== "desired" && name !== "cmd") {
          const inside = largestBytes(body.schema);
          t.ok(inside !== undefined && inside < maxMessageBytes, `${body.schema.title}: ${inside}`);
        }
      }
    }
  },
);

t.test("the largest values are as large as they are said to be", async (t) => {
  const text = { type: "string", maxLength: 4 };
  const cases: readonly (readonly [Record<string, Json>, Json])[] = [
    [text, "€€€€"],
    [{ type: "string", pattern: "^[0-9a-f]{3}(/[0-9]{1,4})?x?$" }, "abc/1234x"],
    [{ type: "array", items: text, maxItems: 2 }, ["€€€€", "€€€€"]],
    [{ type: "object", properties: { a: { type: "boolean" } } }, { a: false }],
    [{ anyOf: [{ type: "null" }, text] }, "€€€€"],
    [{ enum: ["a", "long"] }, "long"],
    [{ type: "integer" }, -(2 ** 53)],
  ];
  for (const [schema, value] of cases) {
    const most = largestBytes(schema) ?? 0;
    const bytes = Buffer.byteLength(JSON.stringify(value));
    t.ok(bytes <= most && most <= bytes + 6, `${JSON.stringify(schema)}: ${most}, ${bytes}`);
  }
  t.equal(largestBytes({ type: "string" }), undefined);
  t.equal(largestBytes({ type: "string", pattern: "^a+$" }), undefined);
  t.equal(largestBytes({ type: "array", items: text }), undefined);
});

t.test("the names of commands are those of the signed format", async (t) => {
  const schema = JSON.parse(text("protocol/trust/command.schema.json"));
  t.same(schema.properties.signed.properties.name.enum, commandNames);
});

t.test("the examples fit their schemas", async (t) => {
  for (const schema of schemas) {
    const file = schema.$id.replace(/^.*\/message-(.*)-v1\.json$/, "$1");
    const { validate } = await import(`#generated/protocol/messages/${file}.validate.js`);
    t.ok(validate(exampleOf(schema)), `${schema.title}: ${JSON.stringify(validate.errors)}`);
  }
});

function walk(
  value: Json,
  visit: (value: { readonly [key: string]: Json }, path: string) => void,
  path = "",
): void {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) walk(item, visit, `${path}/${index}`);
  } else if (typeof value === "object" && value !== null) {
    const object = value as { readonly [key: string]: Json };
    visit(object, path);
    for (const [key, item] of Object.entries(object))
      if (key !== "examples") walk(item, visit, `${path}/${key}`);
  }
}
