import { bodiesOf } from "./schemas.ts";
import { type TopicName, type TopicRule, topicPrefix, topicRules } from "./topics.ts";

/** The page `docs/topics.md`: every topic with what it carries, for people. */
export function topicsPage(): string {
  const rows = (Object.entries(topicRules) as [TopicName, TopicRule][]).map(([name, rule]) => {
    const level = rule.parameter === null ? "" : `/{${rule.parameter}}`;
    const kept = rule.retained ? "yes" : "no";
    return `| \`${name}${level}\` | ${rule.direction.replaceAll("-", " ")} | ${kept} | ${rule.qos} | ${rule.description} |`;
  });
  const bodies = (Object.keys(topicRules) as TopicName[]).flatMap((name) =>
    bodiesOf(name).map(({ schema, parameter }) => {
      const file = schema.$id.replace(/^.*\/message-(.*)-v1\.json$/, "$1");
      return `| \`${parameter === null ? name : `${name}/${parameter}`}\` | [${schema.title}](../protocol/messages/${file}.schema.json) | ${schema.description} |`;
    }),
  );
  return `# Topics

Made from \`protocol/topics.ts\` and \`protocol/messages\` by \`node tools/write-protocol-docs.ts\`; the same as an AsyncAPI document is \`asyncapi.json\`.

Every topic stands below \`${topicPrefix}/{fleet}/{node}/\`. Payloads are JSON: an [Envelope](../protocol/messages/envelope.schema.json) from a node, a [FleetEnvelope](../protocol/messages/fleet-envelope.schema.json) to a node, with the body inside.

| topic | direction | retained | QoS | what it is for |
|---|---|---|---|---|
${rows.join("\n")}

| topic | body | what it says |
|---|---|---|
${bodies.join("\n")}
`;
}
