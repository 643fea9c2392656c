import type { Received } from "./broker.ts";

/** What the demo promises, and whether it happened. */
export interface Check {
  readonly what: string;
  readonly holds: boolean;
}

/** A boot that was played, in the order of its machine's boots. */
export interface Played {
  /** Name of the machine. */
  readonly machine: string;
  /** How it ended; `undefined` where it said nothing. */
  readonly outcome: string | undefined;
}

/** What each machine tells of itself at each report, and of the end of the report. */
const told: readonly (readonly [what: string, fits: (message: Message) => boolean])[] = [
  ["its presence", ({ topic, body }) => topic === "status" && body.online === true],
  ["what it is", ({ topic }) => topic === "about"],
  ["its state", ({ topic }) => topic === "reported"],
  ["its farewell", ({ topic, body }) => topic === "status" && body.reason === "reported"],
];

/** Ends of a boot before which a system was tried, which is an event of its own. */
const tried: readonly (string | undefined)[] = ["committed", "rolled-back"];

/**
 * What the broker received, held against what was played: of each boot its begin and its end, and the
 * end of its trial, in their order and none too many; of each machine what it is, the last of
 * which tells of its last boot; no secret. A message that MQTT delivered twice (the same id) is one.
 */
export function judgeReports(
  played: readonly Played[],
  received: readonly Received[],
  secret: string,
): readonly Check[] {
  const machines = [...new Set(played.map(({ machine }) => machine))];
  return [
    ...machines.flatMap((machine) => {
      const outcomes = played
        .filter((boot) => boot.machine === machine)
        .map((boot) => boot.outcome);
      return judgeMachine(machine, outcomes, messagesOf(machine, received));
    }),
    { what: "no secret was sent", holds: !JSON.stringify(received).includes(secret) },
  ];
}

interface Message {
  /** Topic below the node's. */
  readonly topic: string;
  readonly id: unknown;
  readonly body: {
    readonly online?: unknown;
    readonly reason?: unknown;
    readonly outcome?: unknown;
    readonly result?: unknown;
    readonly last?: { readonly outcome?: unknown };
  };
}

/** Each message of a machine once, in order of arrival. */
function messagesOf(machine: string, received: readonly Received[]): readonly Message[] {
  const start = `i-${machine}/`;
  const byId = new Map<unknown, Message>();
  for (const { topic, payload } of received) {
    if (!topic.startsWith(start)) continue;
    const { id, body } = payload as Pick<Message, "id" | "body">;
    if (!byId.has(id)) byId.set(id, { topic: topic.slice(start.length), id, body });
  }
  return [...byId.values()];
}

function judgeMachine(
  machine: string,
  outcomes: readonly (string | undefined)[],
  messages: readonly Message[],
): readonly Check[] {
  const of = (topic: string) => messages.filter((message) => message.topic === topic);
  const begun = of("event/boot.started").length;
  const ended = of("event/boot.finished").map(({ body }) => body.outcome);
  const trials = of("event/trial.finished").map(({ body }) => body.result);
  const last = of("reported").at(-1)?.body.last?.outcome;
  return [
    ...told.map(([what, fits]) => ({
      what: `${machine}: ${what} was reported after each boot`,
      holds: messages.filter(fits).length >= outcomes.length,
    })),
    {
      what: `${machine}: the begin of each boot was reported`,
      holds: begun === outcomes.length,
    },
    {
      what: `${machine}: its boots were reported as ${outcomes.join(", ")}`,
      holds: isSame(ended, outcomes),
    },
    {
      what: `${machine}: its trials were reported`,
      holds: isSame(
        trials,
        outcomes.filter((outcome) => tried.includes(outcome)),
      ),
    },
    {
      what: `${machine}: the last report tells of its last boot`,
      holds: last !== undefined && last === outcomes.at(-1),
    },
  ];
}

function isSame(found: readonly unknown[], expected: readonly unknown[]): boolean {
  return found.length === expected.length && found.every((each, at) => each === expected[at]);
}
