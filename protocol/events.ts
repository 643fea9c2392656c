import type { BootFinished } from "#generated/protocol/messages/boot-finished.ts";
import type { BootStage } from "#generated/protocol/messages/boot-stage.ts";
import type { BootStarted } from "#generated/protocol/messages/boot-started.ts";
import type { CommandAnswered } from "#generated/protocol/messages/command-answered.ts";
import type { DesiredRefused } from "#generated/protocol/messages/desired-refused.ts";
import type { DriftFound } from "#generated/protocol/messages/drift-found.ts";
import type { FindingEvent } from "#generated/protocol/messages/finding.ts";
import type { Gap } from "#generated/protocol/messages/gap.ts";
import type { LinkSessionConflict } from "#generated/protocol/messages/link-session-conflict.ts";
import type { OutboxDamaged } from "#generated/protocol/messages/outbox-damaged.ts";
import type { TrialFinished } from "#generated/protocol/messages/trial-finished.ts";
import type { TrustStale } from "#generated/protocol/messages/trust-stale.ts";
import type { UpdateChanged } from "#generated/protocol/messages/update-changed.ts";

/** What an event says, by its kind: the last level of its topic. */
export interface EventBodies {
  readonly "boot.started": BootStarted;
  readonly "boot.stage": BootStage;
  readonly "boot.finished": BootFinished;
  readonly "trial.finished": TrialFinished;
  readonly "update.changed": UpdateChanged;
  readonly "trust.stale": TrustStale;
  readonly "drift.found": DriftFound;
  readonly finding: FindingEvent;
  readonly "command.answered": CommandAnswered;
  readonly "desired.refused": DesiredRefused;
  readonly "link.session-conflict": LinkSessionConflict;
  readonly gap: Gap;
  readonly "outbox.damaged": OutboxDamaged;
}

export type EventKind = keyof EventBodies;

/** An event that a room may write; gaps and damage are written by the outbox itself. */
export type NewEvent = {
  [K in Exclude<EventKind, "gap" | "outbox.damaged">]: {
    readonly kind: K;
    readonly body: EventBodies[K];
  };
}[Exclude<EventKind, "gap" | "outbox.damaged">];

/** What the protocol says about one kind of event. */
export interface EventRule {
  /** File of its schema below `protocol/messages`, without `.schema.json`. */
  readonly schema: string;
  /** Whether it goes first when the outbox is full: another event repeats what matters of it. */
  readonly thinnedFirst: boolean;
  /** Whether it says how something ended: it stays in a full outbox when all else has gone. */
  readonly outcome?: true;
}

/** Every kind of event. */
export const eventRules = {
  "boot.started": { schema: "boot-started", thinnedFirst: true },
  "boot.stage": { schema: "boot-stage", thinnedFirst: true },
  "boot.finished": { schema: "boot-finished", thinnedFirst: false, outcome: true },
  "trial.finished": { schema: "trial-finished", thinnedFirst: false, outcome: true },
  "update.changed": { schema: "update-changed", thinnedFirst: false, outcome: true },
  "trust.stale": { schema: "trust-stale", thinnedFirst: false },
  "drift.found": { schema: "drift-found", thinnedFirst: false },
  finding: { schema: "finding", thinnedFirst: false },
  "command.answered": { schema: "command-answered", thinnedFirst: false, outcome: true },
  "desired.refused": { schema: "desired-refused", thinnedFirst: false },
  "link.session-conflict": { schema: "link-session-conflict", thinnedFirst: false },
  gap: { schema: "gap", thinnedFirst: false },
  "outbox.damaged": { schema: "outbox-damaged", thinnedFirst: false },
} as const satisfies Readonly<Record<EventKind, EventRule>>;
