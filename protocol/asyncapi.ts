import type { Json } from "#core/canonical-json.ts";
import { commandNames } from "./command-names.ts";
import { exampleOf } from "./example.ts";
import { maxMessageBytes } from "./message.ts";
import {
  bodiesOf,
  bodySchemas,
  envelopeSchemas,
  type MessageSchema,
  type TopicBody,
} from "./schemas.ts";
import { type TopicName, type TopicRule, topicPrefix, topicRules } from "./topics.ts";

type JsonObject = { readonly [key: string]: Json };

/**
 * The protocol as an AsyncAPI 3.0 document, seen from the node: what it sends and what it receives.
 * Source: https://www.asyncapi.com/docs/reference/specification/v3.0.0 and the MQTT bindings 0.2.0.
 */
export function asyncApiDocument(version: string): JsonObject {
  const topics = Object.entries(topicRules) as [TopicName, TopicRule][];
  const carrying = topics.filter(([name]) => bodiesOf(name).length > 0);
  return {
    asyncapi: "3.0.0",
    info: {
      title: "firstlight node",
      version,
      description: `What a node and its fleet say to each other over MQTT 5 or 3.1.1. Every payload is JSON in UTF-8 of at most ${maxMessageBytes} bytes, an envelope around a body; MQTT 5 properties only repeat what the envelope says.`,
      license: { name: "MIT" },
    },
    defaultContentType: "application/json",
    channels: record(topics, ([name, rule]) => [name, channel(name, rule)]),
    operations: record(carrying, ([name, rule]) => [
      operationName(name, rule),
      operation(name, rule),
    ]),
    components: {
      messages: record(
        carrying.flatMap(([name, rule]) => bodiesOf(name).map((body) => ({ body, rule }))),
        ({ body, rule }) => [body.schema.title, message(body, rule)],
      ),
      schemas: record(
        [...Object.values(envelopeSchemas), ...Object.values(bodySchemas)],
        (schema) => [schema.title, plainSchema(schema)],
      ),
    },
  };
}

function channel(name: TopicName, rule: TopicRule): JsonObject {
  const bodies = bodiesOf(name);
  const level = rule.parameter === null ? "" : `/{${rule.parameter}}`;
  return {
    address: `${topicPrefix}/{fleet}/{node}/${name}${level}`,
    description:
      bodies.length > 0
        ? rule.description
        : `${rule.description} Reserved: this version sends nothing on it.`,
    parameters: {
      fleet: { description: "Name of the fleet." },
      node: { description: "Name of the node in its fleet." },
      ...(rule.parameter === null ? {} : { [rule.parameter]: parameterOf(name, bodies) }),
    },
    messages: record(bodies, ({ schema }) => [
      schema.title,
      { $ref: `#/components/messages/${schema.title}` },
    ]),
  };
}

function parameterOf(name: TopicName, bodies: readonly TopicBody[]): JsonObject {
  const values =
    name === "cmd"
      ? commandNames
      : bodies.flatMap(({ parameter }) => (parameter === null ? [] : [parameter]));
  return { description: "What it is about.", ...(values.length > 0 ? { enum: values } : {}) };
}

function operationName(name: TopicName, rule: TopicRule): string {
  return `${rule.direction === "node-to-fleet" ? "send" : "receive"}-${name}`;
}

function operation(name: TopicName, rule: TopicRule): JsonObject {
  return {
    action: rule.direction === "node-to-fleet" ? "send" : "receive",
    channel: { $ref: `#/channels/${name}` },
    summary: rule.description,
    messages: bodiesOf(name).map(({ schema }) => ({
      $ref: `#/channels/${name}/messages/${schema.title}`,
    })),
    bindings: { mqtt: { qos: rule.qos, retain: rule.retained, bindingVersion: "0.2.0" } },
  };
}

function message({ schema, parameter }: TopicBody, rule: TopicRule): JsonObject {
  const envelope = envelopeSchemas[rule.direction];
  const example = exampleOf(envelope);
  return {
    name: parameter ?? schema.title.toLowerCase(),
    title: schema.title,
    summary: schema.description,
    contentType: "application/json",
    payload: {
      allOf: [
        { $ref: `#/components/schemas/${envelope.title}` },
        { type: "object", properties: { body: { $ref: `#/components/schemas/${schema.title}` } } },
      ],
    },
    examples: [{ payload: { ...(example as JsonObject), body: exampleOf(schema) } }],
  };
}

/** Without what names the schema from outside: in this document it is named by its place. */
function plainSchema(schema: MessageSchema): JsonObject {
  const { $schema: _dialect, $id: _id, ...rest } = schema;
  return rest;
}

function record<T>(items: readonly T[], entry: (item: T) => readonly [string, Json]): JsonObject {
  return Object.fromEntries(items.map(entry));
}
