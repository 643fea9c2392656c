import { Fault, isFault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import { backOffMs } from "./link/back-off.ts";
import { type Connector, connector } from "./link/client.ts";
import { takeLinkLock } from "./link/link-lock.ts";
import { type LinkSession, openLinkSession, type StateReaders } from "./link/link-session.ts";
import type { LinkSettings } from "./link/link-settings.ts";
import { type Outbox, openOutbox } from "./link/outbox.ts";
import { notifySystemd, watchdogIntervalMs } from "./link/systemd-notify.ts";
import { createWake, type Wake, watchOutbox } from "./link/wake.ts";
import type { Schedule } from "./schedule.ts";

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
  /** Ends the daemon cleanly. */
  readonly signal: AbortSignal;
}

/** The outbox is looked at so often even when the kernel says nothing. */
const recheckMs = 15_000;
/** A session that held for so long counts as a success: the next wait is a short one. */
const steadyMs = 60_000;

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
  const connect = connector(io, log, settings);
  for (let failures = 0; !signal.aborted && isCurrent(); ) {
    const startedMs = io.clock.monotonicMs();
    try {
      await serve(options, parts, connect);
    } catch (error) {
      if (signal.aborted) break;
      if (!isLinkFault(error)) throw error;
      failures = io.clock.monotonicMs() - startedMs >= steadyMs ? 1 : failures + 1;
      const waitMs = backOffMs(failures, settings.limits, io.random);
      const { code, message, hint } = error;
      log.warning("link.down", { code, message, hint, failures, waitMs });
      await io.clock.sleep(waitMs, signal).catch(() => {});
    }
  }
}

/** One session, until it is lost (throws) or the signal ends it (returns). */
async function serve(
  options: DaemonOptions,
  { outbox, wake }: Parts,
  connect: Connector,
): Promise<void> {
  const { settings, schedule } = options;
  const link = await openLinkSession({
    ...options,
    outbox,
    connector: connect,
    onAcknowledged: wake.call,
  });
  link.gone.addEventListener("abort", wake.call, { once: true });
  const { healthIntervalMs: intervalMs } = settings;
  const health = { name: "health", intervalMs, jitterMs: Math.min(intervalMs / 4, 30_000) };
  const stopHealth = schedule.every(health, () => link.publishHealth());
  // Sampling may take seconds: events do not wait for it.
  link.publishHealth().catch((error: Error) => {
    options.log.debug("link.health.unsent", { message: error.message });
  });
  try {
    await sendAsItComes(link, options, { outbox, wake });
  } finally {
    stopHealth();
    await link.leave("stopped");
  }
}

async function sendAsItComes(
  link: LinkSession,
  { isCurrent, signal }: DaemonOptions,
  { outbox, wake }: Parts,
): Promise<void> {
  while (isCurrent()) {
    const taken = outbox.takeSpooled();
    // Root, or another process, wrote: what the node is, and what runs on it, may have changed with it.
    if (outbox.changed() || taken > 0) await link.publishState();
    await link.drain();
    await wake.next();
    if (signal.aborted) return;
    link.gone.throwIfAborted();
  }
}

/** Faults of the network or of the other side, which time may heal. */
function isLinkFault(error: unknown): error is Fault {
  return isFault(error) && error.code.startsWith("link/") && error.code !== "link/outbox-failed";
}
