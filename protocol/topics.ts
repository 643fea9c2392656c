import { Fault } from "#core/fault.ts";

/** Who publishes on a topic. */
export type Direction = "node-to-fleet" | "fleet-to-node";

/** The names of the topics of one node; `event` and `cmd` have one more level. */
export type TopicName =
  | "status"
  | "about"
  | "reported"
  | "update"
  | "event"
  | "health"
  | "desired"
  | "cmd"
  | "ack"
  | "get";

/** What the protocol says about one topic. */
export interface TopicRule {
  readonly direction: Direction;
  /** Whether the broker keeps the last message for later subscribers. */
  readonly retained: boolean;
  readonly qos: 0 | 1;
  /** Name of the level below it, or `null` when the topic ends here. */
  readonly parameter: "kind" | "name" | null;
  /** Sentence for the documents that are made from this table. */
  readonly description: string;
}

/**
 * Every topic below `firstlight/1/{fleet}/{node}/`. Presence (birth and last will) lives on one
 * retained topic, because a broker keeps order per topic only.
 */
export const topicRules = {
  status: {
    direction: "node-to-fleet",
    retained: true,
    qos: 1,
    parameter: null,
    description: "Whether the node is connected: its birth, its last will and its farewell.",
  },
  about: {
    direction: "node-to-fleet",
    retained: true,
    qos: 1,
    parameter: null,
    description: "What the node is: agent, platform, datasource, hardware profile, capabilities.",
  },
  reported: {
    direction: "node-to-fleet",
    retained: true,
    qos: 1,
    parameter: null,
    description: "What runs on the node: generation, sources, and how the last change ended.",
  },
  update: {
    direction: "node-to-fleet",
    retained: true,
    qos: 1,
    parameter: null,
    description:
      "Where the node stands in its current update; one topic for each node, so that retained messages stay few.",
  },
  event: {
    direction: "node-to-fleet",
    retained: false,
    qos: 1,
    parameter: "kind",
    description:
      "What happened, from the durable outbox, in order; sent again until it is acknowledged.",
  },
  health: {
    direction: "node-to-fleet",
    retained: true,
    qos: 0,
    parameter: null,
    description: "Sampled health; worthless soon, so it may be lost.",
  },
  desired: {
    direction: "fleet-to-node",
    retained: true,
    qos: 1,
    parameter: null,
    description: "What the node shall become, signed.",
  },
  cmd: {
    direction: "fleet-to-node",
    retained: false,
    qos: 1,
    parameter: "name",
    description: "A command of the closed vocabulary, signed and short-lived; never a shell.",
  },
  ack: {
    direction: "fleet-to-node",
    retained: false,
    qos: 1,
    parameter: null,
    description: "Up to which event the fleet has stored what the node sent.",
  },
  get: {
    direction: "node-to-fleet",
    retained: false,
    qos: 1,
    parameter: null,
    description:
      "Asked on every connect: send what is newer than what the node has. Heals lost retained messages.",
  },
} as const satisfies Readonly<Record<TopicName, TopicRule>>;

/** First two levels of every topic: the product and the version of this layout. */
export const topicPrefix = "firstlight/1";

/** Names of topics that have a level below them. */
export type ParameterTopic = {
  [T in TopicName]: (typeof topicRules)[T]["parameter"] extends null ? never : T;
}[TopicName];

/** Names of topics that end there. */
export type PlainTopic = Exclude<TopicName, ParameterTopic>;

/** A node's place among all topics. */
export interface NodeAddress {
  readonly fleet: string;
  readonly node: string;
}

/** A topic taken apart. */
export interface ParsedTopic extends NodeAddress {
  readonly name: TopicName;
  /** Kind of the event or name of the command; `null` for other topics. */
  readonly parameter: string | null;
}

/** Builds the topics of one node. */
export interface NodeTopics {
  readonly address: NodeAddress;
  of(name: PlainTopic): string;
  /** `event/boot.finished`, `cmd/reboot`. Throws `link/name-invalid`. */
  with(name: ParameterTopic, parameter: string): string;
  /** What to subscribe to for every parameter: `cmd/+`. */
  all(name: ParameterTopic): string;
}

const maxNameLength = 128;

/**
 * Why `name` cannot be a level of a topic, or `undefined` when it can. Refused are what MQTT itself
 * gives a meaning (MQTT 5.0, section 4.7) and what brokers and terminals treat specially: a leading
 * `$`, control characters, lone surrogates.
 */
export function topicNameFault(name: string): string | undefined {
  if (name === "") return "is empty";
  if (name.length > maxNameLength) return `is longer than ${maxNameLength} characters`;
  if (/[/+#]/.test(name)) return "holds one of / + #";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
  if (/[\u0000-\u001f\u007f-\u009f]/.test(name)) return "holds a control character";
  if (name.startsWith("$")) return "begins with $";
  if (!name.isWellFormed()) return "is not well-formed Unicode";
  return undefined;
}

/** Topics of a node. Throws `link/name-invalid` when fleet or node cannot be part of a topic. */
export function nodeTopics(address: NodeAddress): NodeTopics {
  requireName("fleet", address.fleet);
  requireName("node", address.node);
  const base = `${topicPrefix}/${address.fleet}/${address.node}`;
  return {
    address,
    of: (name) => `${base}/${name}`,
    with(name, parameter) {
      requireName(topicRules[name].parameter, parameter);
      return `${base}/${name}/${parameter}`;
    },
    all: (name) => `${base}/${name}/+`,
  };
}

/** Takes a topic apart; `undefined` when it is none of ours. */
export function parseTopic(topic: string): ParsedTopic | undefined {
  if (!topic.startsWith(`${topicPrefix}/`)) return undefined;
  const [fleet, node, name, parameter, ...rest] = topic.slice(topicPrefix.length + 1).split("/");
  if (fleet === undefined || node === undefined || name === undefined || rest.length > 0)
    return undefined;
  if (!Object.hasOwn(topicRules, name)) return undefined;
  const known = name as TopicName;
  if ((topicRules[known].parameter === null) !== (parameter === undefined)) return undefined;
  const names = parameter === undefined ? [fleet, node] : [fleet, node, parameter];
  if (names.some((part) => topicNameFault(part) !== undefined)) return undefined;
  return { fleet, node, name: known, parameter: parameter ?? null };
}

function requireName(what: string, name: string): void {
  const fault = topicNameFault(name);
  if (fault === undefined) return;
  throw new Fault(
    "link/name-invalid",
    `${what} ${JSON.stringify(name.slice(0, maxNameLength))} ${fault}`,
    {
      hint: "use letters, digits, dots, dashes and underscores",
    },
  );
}
