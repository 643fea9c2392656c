import { sha256 } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import { readFleetMessage } from "#protocol/message.ts";
import { type NodeTopics, parseTopic } from "#protocol/topics.ts";
import { readUntrusted } from "#protocol/trust/read-untrusted.ts";
import { pace } from "#provisioner/system/sides/pace.ts";
import type { SubmitAnswer as ReceiveAnswer, Submission } from "../update/receive.ts";
import type { Arrival } from "./client.ts";
import { within } from "./deadline.ts";
import type { Outbox } from "./outbox.ts";

/** What the root side said about a message, once whatever follows from it is durable there; what is believed where it said so. */
export type SubmitAnswer = Omit<ReceiveAnswer, "trusted"> & Partial<Pick<ReceiveAnswer, "trusted">>;

/**
 * Hands the bytes of a message over as they came. Must throw when there is no answer, or when what
 * follows could not be made durable: the message comes again then.
 */
export type Submit = (submission: Submission) => Promise<SubmitAnswer>;

/** Takes what the fleet says; one for all connections of a process. */
export interface Reception {
  /** Whether desired states and commands are taken too. */
  readonly isWhole: boolean;
  /**
   * Resolves when the broker may forget the message. Throws `link/message-refused` for one that nobody
   * should send, and `link/no-answer` where the root side said nothing: it must come again.
   */
  take(topic: string, payload: Uint8Array, arrival: Arrival): Promise<void>;
}

export interface ReceptionOptions {
  readonly io: Pick<Io, "clock">;
  readonly log: Log;
  readonly outbox: Outbox;
  readonly topics: NodeTopics;
  /** Absent: this node takes nothing but acks. */
  readonly submit?: Submit;
  /** Called when the fleet has acknowledged events. */
  readonly onAcknowledged?: () => void;
  /** Called when the root side has answered. */
  readonly onAnswered?: () => void;
}

/** Shorter than the link's own limit for a message, so that it is told apart. */
const answerMs = 15_000;
/** Refusals that are remembered, and told once. */
const mostRefusals = 64;
/** Whoever can publish could fill the outbox with refusals. */
const refusalPace = { burst: 10, everyMs: 60_000 };
const answerPace = { burst: 30, everyMs: 10_000 };

/**
 * What the fleet may say to a node: that it has stored events, what the node shall become, and
 * commands. The last two go to the root side as they came: it is the root side that looks at them, and
 * a topic for answers that comes with them is not asked for, because whoever can publish could name it.
 */
export function reception(options: ReceptionOptions): Reception {
  const { io, log, outbox, topics, submit } = options;
  const refused = new Set<string>();
  const mayTellRefusal = pace(refusalPace, io.clock);
  const mayTellAnswer = pace(answerPace, io.clock);

  async function takeAck(payload: Uint8Array): Promise<void> {
    const { body } = await readFleetMessage("ack", payload, { nowMs: io.clock.now() });
    if (body.stream !== outbox.stream()) {
      log.info("link.ack.ignored", { stream: body.stream, upTo: body.upTo });
      return;
    }
    outbox.acknowledge(body.upTo);
    options.onAcknowledged?.();
  }

  async function handOver(kind: Submission["topic"], topic: string, bytes: Uint8Array) {
    if (submit === undefined) throw unwanted(topic, "nothing is expected on this topic");
    try {
      const asked = { clock: io.clock, timeoutMs: answerMs, late: `${topic}: no answer` };
      const answer = await within(submit({ topic: kind, bytes }), asked);
      options.onAnswered?.();
      log.info("link.submitted", { topic, answer: answer.kind, code: answer.code });
      return answer;
    } catch (cause) {
      throw new Fault(
        "link/no-answer",
        `${topic}: the root side did not take it: ${(cause as Error).message}`,
        { cause },
      );
    }
  }

  async function takeDesired(topic: string, payload: Uint8Array): Promise<void> {
    if (payload.length === 0) {
      log.info("link.desired.cleared"); // what was assigned before stays
      return;
    }
    const answer = await handOver("desired", topic, payload);
    if (answer.kind !== "refused") return;
    const { code = "cli/internal", message = "", updateId, trusted } = answer;
    const digest = sha256(payload);
    const key = `${digest} ${code}`;
    if (refused.has(key)) return;
    if (refused.size >= mostRefusals) refused.clear();
    refused.add(key);
    log.warning("link.desired.refused", { code, message });
    if (!mayTellRefusal()) return;
    outbox.append({
      kind: "desired.refused",
      body: {
        ...{ code, message: message || code, digest },
        ...(updateId === undefined ? {} : { updateId }),
        ...(trusted === undefined ? {} : { trusted }),
      },
    });
  }

  async function takeCommand(topic: string, name: string, payload: Uint8Array): Promise<void> {
    const { kind, code, message, command } = await handOver("cmd", topic, payload);
    if (!mayTellAnswer()) {
      log.warning("link.answers.too-many", { topic });
      return;
    }
    const answers = messageId(payload);
    outbox.append({
      kind: "command.answered",
      body: {
        command: command?.name ?? name,
        outcome: kind === "refused" ? "refused" : "taken",
        digest: sha256(payload),
        ...(command === undefined ? {} : { id: command.id }),
        ...(answers === undefined ? {} : { answers }),
        ...(code === undefined ? {} : { code }),
        ...(message === undefined ? {} : { message }),
      },
    });
  }

  async function take(topic: string, payload: Uint8Array, { retained }: Arrival): Promise<void> {
    const parsed = parseTopic(topic);
    const { fleet, node } = topics.address;
    if (parsed === undefined) throw unwanted(topic, "nothing is expected on this topic");
    if (parsed.fleet !== fleet || parsed.node !== node) {
      throw unwanted(
        topic,
        "it is for another node; the broker's access rules should not let it through",
      );
    }
    if (parsed.name === "desired") return takeDesired(topic, payload);
    if (parsed.name !== "ack" && parsed.name !== "cmd")
      throw unwanted(topic, "nothing is expected on this topic");
    if (retained) throw unwanted(topic, "it was kept by the broker, and is of the past");
    if (parsed.name === "ack") return takeAck(payload);
    return takeCommand(topic, parsed.parameter ?? "", payload);
  }
  return { isWhole: submit !== undefined, take };
}

function unwanted(topic: string, why: string): Fault {
  return new Fault("link/message-refused", `${topic}: ${why}`);
}

/** The id that a message has by its envelope. */
function messageId(payload: Uint8Array): string | undefined {
  try {
    const { id } = (readUntrusted(payload) ?? {}) as { readonly id?: unknown };
    return typeof id === "string" && uuid.test(id) ? id : undefined;
  } catch {
    return undefined;
  }
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
