import type { Json } from "#core/canonical-json.ts";
import { type EventKind, eventRules } from "./events.ts";
import about from "./messages/about.schema.json" with { type: "json" };
import ack from "./messages/ack.schema.json" with { type: "json" };
import bootFinished from "./messages/boot-finished.schema.json" with { type: "json" };
import bootStage from "./messages/boot-stage.schema.json" with { type: "json" };
import bootStarted from "./messages/boot-started.schema.json" with { type: "json" };
import cmd from "./messages/cmd.schema.json" with { type: "json" };
import commandAnswered from "./messages/command-answered.schema.json" with { type: "json" };
import desired from "./messages/desired.schema.json" with { type: "json" };
import desiredRefused from "./messages/desired-refused.schema.json" with { type: "json" };
import driftFound from "./messages/drift-found.schema.json" with { type: "json" };
import envelope from "./messages/envelope.schema.json" with { type: "json" };
import finding from "./messages/finding.schema.json" with { type: "json" };
import fleetEnvelope from "./messages/fleet-envelope.schema.json" with { type: "json" };
import gap from "./messages/gap.schema.json" with { type: "json" };
import get from "./messages/get.schema.json" with { type: "json" };
import health from "./messages/health.schema.json" with { type: "json" };
import linkSessionConflict from "./messages/link-session-conflict.schema.json" with {
  type: "json",
};
import outboxDamaged from "./messages/outbox-damaged.schema.json" with { type: "json" };
import reported from "./messages/reported.schema.json" with { type: "json" };
import status from "./messages/status.schema.json" with { type: "json" };
import trialFinished from "./messages/trial-finished.schema.json" with { type: "json" };
import trustStale from "./messages/trust-stale.schema.json" with { type: "json" };
import update from "./messages/update.schema.json" with { type: "json" };
import updateChanged from "./messages/update-changed.schema.json" with { type: "json" };
import type { TopicName } from "./topics.ts";

/** The part of a JSON Schema that all of ours have. */
export interface MessageSchema {
  readonly $id: string;
  readonly title: string;
  readonly description: string;
  readonly [keyword: string]: Json;
}

/** Schemas of the two envelopes, by who sends. */
export const envelopeSchemas = {
  "node-to-fleet": envelope as unknown as MessageSchema,
  "fleet-to-node": fleetEnvelope as unknown as MessageSchema,
};

/** Every body by the file that its schema stands in. For documents and tests: nothing that runs on a node loads this. */
export const bodySchemas: Readonly<Record<string, MessageSchema>> = Object.fromEntries(
  Object.entries({
    status,
    about,
    reported,
    health,
    update,
    "boot-started": bootStarted,
    "boot-stage": bootStage,
    "boot-finished": bootFinished,
    "trial-finished": trialFinished,
    "trust-stale": trustStale,
    "update-changed": updateChanged,
    "drift-found": driftFound,
    finding,
    "command-answered": commandAnswered,
    "desired-refused": desiredRefused,
    "link-session-conflict": linkSessionConflict,
    gap,
    "outbox-damaged": outboxDamaged,
    ack,
    get,
    desired,
    cmd,
  }).map(([name, schema]) => [name, schema as unknown as MessageSchema]),
);

/** One body that a topic carries. */
export interface TopicBody {
  readonly schema: MessageSchema;
  /** The level below the topic, or `null`. */
  readonly parameter: string | null;
}

/** What a topic carries, in this version; none where a later part of the protocol fills it. */
export function bodiesOf(topic: TopicName): readonly TopicBody[] {
  if (topic === "event") {
    return (Object.keys(eventRules) as EventKind[]).map((kind) => ({
      schema: schemaNamed(eventRules[kind].schema),
      parameter: kind,
    }));
  }
  const schema = bodySchemas[topic];
  return schema === undefined ? [] : [{ schema, parameter: null }];
}

function schemaNamed(name: string): MessageSchema {
  const schema = bodySchemas[name];
  if (schema === undefined) throw new Error(`no schema named ${name}`);
  return schema;
}
