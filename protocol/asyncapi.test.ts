import { readdirSync, readFileSync } from "node:fs";
import t from "tap";
import type { Json } from "#core/canonical-json.ts";
import { asyncApiDocument } from "./asyncapi.ts";
import { eventRules } from "./events.ts";
import { exampleOf } from "./example.ts";
import { bodySchemas, envelopeSchemas } from "./schemas.ts";
import { topicRules } from "./topics.ts";
import { topicsPage } from "./topics-page.ts";

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
