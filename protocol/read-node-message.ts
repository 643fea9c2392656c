import { Fault } from "#core/fault.ts";
import type { Envelope } from "#generated/protocol/messages/envelope.ts";
import { type EventKind, eventRules } from "./events.ts";
import { maxMessageBytes } from "./message.ts";
import type { ParsedTopic, TopicName } from "./topics.ts";

interface Validator {
  readonly validate: (value: unknown) => boolean;
}

const bodies: Partial<Readonly<Record<TopicName, () => Promise<Validator>>>> = {
  status: () => import("#generated/protocol/messages/status.validate.js"),
  about: () => import("#generated/protocol/messages/about.validate.js"),
  reported: () => import("#generated/protocol/messages/reported.validate.js"),
  update: () => import("#generated/protocol/messages/update.validate.js"),
  health: () => import("#generated/protocol/messages/health.validate.js"),
  get: () => import("#generated/protocol/messages/get.validate.js"),
};

const events: Readonly<Record<EventKind, () => Promise<Validator>>> = {
  "boot.started": () => import("#generated/protocol/messages/boot-started.validate.js"),
  "boot.stage": () => import("#generated/protocol/messages/boot-stage.validate.js"),
  "boot.finished": () => import("#generated/protocol/messages/boot-finished.validate.js"),
  "trial.finished": () => import("#generated/protocol/messages/trial-finished.validate.js"),
  "drift.found": () => import("#generated/protocol/messages/drift-found.validate.js"),
  finding: () => import("#generated/protocol/messages/finding.validate.js"),
  gap: () => import("#generated/protocol/messages/gap.validate.js"),
  "outbox.damaged": () => import("#generated/protocol/messages/outbox-damaged.validate.js"),
  "command.answered": () => import("#generated/protocol/messages/command-answered.validate.js"),
  "desired.refused": () => import("#generated/protocol/messages/desired-refused.validate.js"),
  "link.session-conflict": () =>
    import("#generated/protocol/messages/link-session-conflict.validate.js"),
  "update.changed": () => import("#generated/protocol/messages/update-changed.validate.js"),
};

/**
 * Reads a message of a node from bytes that nobody has looked at yet. The body of an event whose kind is
 * not known is not looked into: a node may be newer than the fleet. Throws `link/message-refused` when it
 * is too large, no UTF-8, no JSON or not of the schema.
 */
export async function readNodeMessage(topic: ParsedTopic, payload: Uint8Array): Promise<Envelope> {
  if (payload.length > maxMessageBytes)
    throw refused(topic, `${payload.length} bytes where at most ${maxMessageBytes} are taken`);
  const { validate } = await import("#generated/protocol/messages/envelope.validate.js");
  const value = parse(topic, payload);
  if (!validate(value)) throw refused(topic, "its envelope does not fit");
  const validator = bodyOf(topic);
  if (validator !== undefined && !(await validator()).validate(value.body))
    throw refused(topic, "its body does not fit");
  return value;
}

function bodyOf({ name, parameter }: ParsedTopic): (() => Promise<Validator>) | undefined {
  if (name !== "event") return bodies[name];
  const kind = parameter ?? "";
  return Object.hasOwn(eventRules, kind) ? events[kind as EventKind] : undefined;
}

function parse(topic: ParsedTopic, payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  } catch (cause) {
    throw refused(topic, "not JSON in UTF-8", cause);
  }
}

function refused({ name, parameter }: ParsedTopic, why: string, cause?: unknown): Fault {
  const what = parameter === null ? name : `${name}/${parameter}`;
  return new Fault("link/message-refused", `${what}: ${why}`, cause === undefined ? {} : { cause });
}
