import { Fault, isFault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import { nodeTopics } from "#protocol/topics.ts";
import { type BrokerChoice, brokerChoice } from "./link/broker-choice.ts";
import { type Connector, connector } from "./link/client.ts";
import { takeLinkLock } from "./link/link-lock.ts";
import { type LinkSession, openLinkSession, type StateReaders } from "./link/link-session.ts";
import { type LinkSettings, settingsOfBrokers } from "./link/link-settings.ts";
import { type Outbox, openOutbox } from "./link/outbox.ts";
import { type Reception, reception, type Submit } from "./link/reception.ts";
import { notifySystemd, watchdogIntervalMs } from "./link/systemd-notify.ts";
import { createWake, type Wake, watchOutbox } from "./link/wake.ts";
import { phaseOf, type Schedule } from "./schedule.ts";

/** What the daemon is made of; the command line builds it. */
export interface DaemonOptions {
  readonly io: Io;
  readonly log: Log;
  readonly settings: LinkSettings;
  readonly readers: StateReaders;
  readonly schedule: Schedule;
  /**
   * Whether the node still reports there. Asked before anything is taken from the root side: what it
   * tells of a change is for where the node reports after it. Ends the daemon cleanly where it is false.
   */
  readonly isCurrent: () => boolean;
  /** Hands signed messages to the root side; where it is absent none are taken. */
  readonly submit?: Submit;
  /** Makes what connects to one broker; over MQTT when absent. */
  readonly connector?: (settings: LinkSettings) => Connector;
  /** Ends the daemon cleanly. */
  readonly signal: AbortSignal;
}

/** The outbox is looked at so often even when the kernel says nothing. */
const recheckMs = 15_000;

/**
 * Keeps the node connected until the signal: birth, reports, events as they are written, health.
 * Ends with a farewell. Throws `link/busy` when another process holds the link, and
 * `link/outbox-failed`; whatever happens on the network is tried again.
 */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  const { io, log, schedule, signal } = options;
  const lock = await takeLinkLock(io);
  if (lock === undefined)
    throw new Fault("link/busy", "another process of this node holds the link");
  const ends: (() => void)[] = [() => lock.release()];
  try {
    const outbox = await openOutbox(io, log);
    ends.unshift(() => outbox.close());
    const wake = createWake();
    const look = () => wake.call();
    ends.unshift(watchOutbox(io, look));
    ends.unshift(schedule.every({ name: "outbox", intervalMs: recheckMs }, async () => look()));
    signal.addEventListener("abort", look, { once: true });
    await notifySystemd(io, log, "READY=1");
    const watchdogMs = watchdogIntervalMs(io);
    if (watchdogMs !== undefined) {
      const alive = () => notifySystemd(io, log, "WATCHDOG=1");
      ends.unshift(schedule.every({ name: "watchdog", intervalMs: watchdogMs }, alive));
    }
    await stayConnected(options, { outbox, wake });
    await notifySystemd(io, log, "STOPPING=1");
  } finally {
    for (const end of ends) end();
  }
}

interface Parts {
  readonly outbox: Outbox;
  readonly wake: Wake;
}

async function stayConnected(options: DaemonOptions, parts: Parts): Promise<void> {
  const { io, log, settings, isCurrent, signal } = options;
  const brokers = settingsOfBrokers(settings);
  const open = options.connector ?? ((broker: LinkSettings) => connector(io, log, broker));
  const link: Link = {
    ...parts,
    connectors: brokers.map(open),
    choice: brokerChoice(brokers, settings.limits, io.random),
    epoch: io.random.uuid(),
    reception: reception({
      ...{ ...options, outbox: parts.outbox, topics: nodeTopics(settings.address) },
      onAcknowledged: parts.wake.call,
      onAnswered: () => {
        link.unanswered = 0;
      },
    }),
    unanswered: 0,
    session: 0,
    sinceMs: undefined,
  };
  while (!signal.aborted && isCurrent()) {
    try {
      link.outbox.takeSpooled(); // root's spool holds less, and forgets outcomes too
      link.sinceMs = undefined;
      await serve(options, link);
    } catch (error) {
      if (signal.aborted) break;
      if (!isLinkFault(error)) throw error;
      await waitAfter(options, link, error);
    }
  }
}

/** What outlives a session. */
interface Link extends Parts {
  readonly connectors: readonly Connector[];
  readonly choice: BrokerChoice;
  readonly epoch: string;
  readonly reception: Reception;
  /** Times in a row that a message was not taken: no answer of the root side, or a packet larger than any may be. */
  unanswered: number;
  /** Of the try that is under way, or was last. */
  session: number;
  /** When its connection had been made; `undefined` before. */
  sinceMs: number | undefined;
}

/** Says what went wrong, and waits before the next try; whoever else connects as this node is told of. */
async function waitAfter(options: DaemonOptions, link: Link, fault: Fault): Promise<void> {
  const { io, log, settings, signal } = options;
  const { session, sinceMs, choice } = link;
  if (isFault(fault, "link/no-answer") || isFault(fault, "link/message-refused")) {
    link.unanswered += 1;
  }
  const broker = settingsOfBrokers(settings)[choice.current()] ?? settings;
  const heldMs = sinceMs === undefined ? 0 : io.clock.monotonicMs() - sinceMs;
  const { waitMs, conflict } = choice.ended({ fault, heldMs });
  const { code, message, hint } = fault;
  log.warning("link.down", { code, message, hint, heldMs, waitMs });
  if (conflict !== undefined) {
    const { isCertain, times } = conflict;
    log.error("link.session-conflict", { isCertain, times, waitMs });
    if (Number.isInteger(Math.log2(times))) {
      link.outbox.append({
        kind: "link.session-conflict",
        body: {
          ...{ code: "link/session-conflict", isCertain, times, epoch: link.epoch },
          ...{ broker: `${broker.host}:${broker.port}`, session },
        },
      });
    }
  }
  await io.clock.sleep(waitMs, signal).catch(() => {});
}

/** One session, until it is lost (throws), or the signal or the first broker's return ends it (returns). */
async function serve(options: DaemonOptions, link: Link): Promise<void> {
  const { io, log, settings, schedule, signal } = options;
  const { wake, choice, unanswered, epoch, outbox, reception: from } = link;
  const at = choice.current();
  const session = await openLinkSession({
    ...{ ...options, outbox, epoch, reception: from, unanswered },
    nextNumber() {
      link.session = outbox.nextSession();
      return link.session;
    },
    connector: link.connectors[at] as Connector,
  });
  link.sinceMs = io.clock.monotonicMs();
  session.gone.addEventListener("abort", wake.call, { once: true });
  const { healthIntervalMs: intervalMs } = settings;
  const phase = phaseOf(settings.address.node, "health");
  const health = { name: "health", intervalMs, phase };
  const stopHealth = schedule.every(health, () => session.publishHealth());
  // Sampling may take seconds: events do not wait for it.
  session.publishHealth().catch((error: Error) => {
    log.debug("link.health.unsent", { message: error.message });
  });
  const ended = new AbortController();
  let isBack = false;
  void lookBack(options, link, AbortSignal.any([signal, session.gone, ended.signal])).then((is) => {
    isBack = is;
    wake.call();
  });
  try {
    await sendAsItComes(session, options, link, () => isBack);
  } finally {
    ended.abort();
    stopHealth();
    await session.leave(isBack ? "moved" : "stopped");
  }
  if (isBack) choice.goBack();
}

/** Whether the first broker answers again, when another one is in use; looks now and then. */
async function lookBack(
  { io, log }: DaemonOptions,
  { choice, connectors }: Link,
  signal: AbortSignal,
): Promise<boolean> {
  for (;;) {
    const waitMs = choice.lookBackMs();
    if (waitMs === undefined) return false;
    try {
      await io.clock.sleep(waitMs, signal);
      await connectors[0]?.reach(signal);
      log.info("link.first-broker-answers");
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      log.info("link.first-broker-away", { message: (error as Error).message });
    }
  }
}

async function sendAsItComes(
  session: LinkSession,
  { isCurrent, signal }: DaemonOptions,
  { outbox, wake }: Parts,
  isBack: () => boolean,
): Promise<void> {
  while (isCurrent() && !isBack()) {
    const taken = outbox.takeSpooled();
    // Root, or another process, wrote: what the node is, and what runs on it, may have changed with it.
    if (outbox.changed() || taken > 0 || session.stateWaits()) await session.publishState();
    else await session.publishUpdate(); // how far it is is told by no event
    await session.drain();
    await wake.next();
    if (signal.aborted) return;
    session.gone.throwIfAborted();
  }
}

/** Faults of the network or of the other side, which time may heal. */
function isLinkFault(error: unknown): error is Fault {
  return isFault(error) && error.code.startsWith("link/") && error.code !== "link/outbox-failed";
}
