import { exampleOf } from "./example.ts";
import { largestBytes } from "./largest.ts";
import { maxMessageBytes } from "./message.ts";
import { bodiesOf, envelopeSchemas, type TopicBody } from "./schemas.ts";
import { type TopicName, type TopicRule, topicPrefix, topicRules } from "./topics.ts";

/** Bytes of a message: of the example that the documents show, and of the largest that its schema allows. */
export interface MessageSize {
  readonly example: number;
  /** Held to what a message may have at all. */
  readonly most: number;
}

/** How large a message of a topic is, its envelope included. */
export function messageSize(rule: TopicRule, { schema }: TopicBody): MessageSize {
  const envelope = envelopeSchemas[rule.direction];
  const whole = { ...(exampleOf(envelope) as object), body: exampleOf(schema) };
  const { body: _body, ...around } = envelope["properties"] as Readonly<Record<string, never>>;
  const outside = largestBytes({ type: "object", properties: around });
  const inside = largestBytes(schema);
  const most = (outside ?? maxMessageBytes) + (inside ?? maxMessageBytes) + '"body":'.length;
  return {
    example: Buffer.byteLength(JSON.stringify(whole)),
    most: Math.min(most, maxMessageBytes),
  };
}

/** The page `docs/topics.md`: every topic with what it carries, for people. */
export function topicsPage(): string {
  const rows = (Object.entries(topicRules) as [TopicName, TopicRule][]).map(([name, rule]) => {
    const level = rule.parameter === null ? "" : `/{${rule.parameter}}`;
    const kept = rule.retained ? "yes" : "no";
    return `| \`${name}${level}\` | ${rule.direction.replaceAll("-", " ")} | ${kept} | ${rule.qos} | ${rule.description} |`;
  });
  const bodies = (Object.entries(topicRules) as [TopicName, TopicRule][]).flatMap(([name, rule]) =>
    bodiesOf(name).map((body) => {
      const { schema, parameter } = body;
      const { example, most } = messageSize(rule, body);
      const file = schema.$id.replace(/^.*\/message-(.*)-v1\.json$/, "$1");
      return `| \`${parameter === null ? name : `${name}/${parameter}`}\` | [${schema.title}](../protocol/messages/${file}.schema.json) | ${example} | ${most} | ${schema.description} |`;
    }),
  );
  return `# Topics

Made from \`protocol/topics.ts\` and \`protocol/messages\` by \`node tools/write-protocol-docs.ts\`; the same as an AsyncAPI document is \`asyncapi.json\`.

Every topic stands below \`${topicPrefix}/{fleet}/{node}/\`. Payloads are JSON: an [Envelope](../protocol/messages/envelope.schema.json) from a node, a [FleetEnvelope](../protocol/messages/fleet-envelope.schema.json) to a node, with the body inside.

| topic | direction | retained | QoS | what it is for |
|---|---|---|---|---|
${rows.join("\n")}

Sizes are in bytes with the envelope: that of the example in \`asyncapi.json\`, and of the largest that the schema allows in printable text; nothing is larger than ${maxMessageBytes}. Whoever reads a message to a node takes what it does not know along with the rest, so that a later version can say more.

| topic | body | example | at most | what it says |
|---|---|---|---|---|
${bodies.join("\n")}
`;
}
