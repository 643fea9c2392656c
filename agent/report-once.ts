import { Fault, isFault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import { nodeTopics } from "#protocol/topics.ts";
import { backOffMs } from "./link/back-off.ts";
import { type Connector, connector } from "./link/client.ts";
import { takeLinkLock } from "./link/link-lock.ts";
import { openLinkSession, type StateReaders } from "./link/link-session.ts";
import { type LinkSettings, settingsOfBrokers } from "./link/link-settings.ts";
import { type Outbox, openOutbox } from "./link/outbox.ts";
import { reception } from "./link/reception.ts";
import { createWake } from "./link/wake.ts";

/** How to report once, without a daemon. */
export interface ReportOnceOptions {
  readonly io: Io;
  readonly log: Log;
  readonly settings: LinkSettings;
  readonly readers: StateReaders;
  /** For the whole of it. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** What became of the events. */
export interface ReportOnceResult {
  /** Who sent them: this process, or the daemon that runs beside it. */
  readonly by: "this" | "daemon";
  /** Events that still wait for the server's ack. */
  readonly left: number;
}

/** How often to look whether the daemon has sent everything. */
const lookMs = 250;
/** After the deadline, for the farewell; then the connection is cut. */
const farewellMs = 3_000;

/**
 * Sends everything that waits, tells what runs on the node, and ends. Where a daemon holds the link,
 * it is the daemon that sends, and this waits for it. Throws `link/unreachable` when the deadline
 * came before a connection, `link/timeout` when it came before the daemon had sent everything, and
 * at once what waiting cannot heal (`link/refused`, `link/untrusted`); events stay in the outbox.
 * A server that has not acknowledged everything by then is no fault: the result says what is left.
 */
export async function reportOnce(options: ReportOnceOptions): Promise<ReportOnceResult> {
  const { io, log, timeoutMs } = options;
  const done = new AbortController();
  const late = after(io, timeoutMs, done.signal);
  const cut = after(io, timeoutMs + farewellMs, done.signal);
  const signal = options.signal === undefined ? late : AbortSignal.any([options.signal, late]);
  try {
    const outbox = await openOutbox(io, log);
    try {
      outbox.takeSpooled();
      const lock = await takeLinkLock(io);
      if (lock === undefined) return await waitForDaemon(io, outbox, signal);
      try {
        return await sendUntil(options, { outbox, signal, cut });
      } finally {
        lock.release();
      }
    } finally {
      outbox.close();
    }
  } finally {
    done.abort(); // else the deadlines keep the process
  }
}

/** Aborted after a time, unless it is done before. */
function after(io: Io, ms: number, done: AbortSignal): AbortSignal {
  const controller = new AbortController();
  io.clock.sleep(ms, done).then(
    () => controller.abort(new Fault("link/timeout", `not everything was sent within ${ms} ms`)),
    () => {},
  );
  return controller.signal;
}

interface Parts {
  readonly outbox: Outbox;
  readonly signal: AbortSignal;
  readonly cut: AbortSignal;
}

async function waitForDaemon(
  io: Io,
  outbox: Outbox,
  signal: AbortSignal,
): Promise<ReportOnceResult> {
  while (outbox.size().events > 0) {
    await io.clock.sleep(lookMs, signal).catch(() => signal.throwIfAborted());
  }
  return { by: "daemon", left: 0 };
}

async function sendUntil(options: ReportOnceOptions, parts: Parts): Promise<ReportOnceResult> {
  const { signal } = parts;
  const { io, log, settings } = options;
  const connectors = settingsOfBrokers(settings).map((broker) => connector(io, log, broker));
  for (let failures = 1; ; failures++) {
    try {
      const connect = connectors[(failures - 1) % connectors.length] as Connector;
      return await send(options, parts, connect);
    } catch (error) {
      if (options.signal?.aborted === true) throw options.signal.reason;
      if (!isFault(error) || !(mayHeal(error) || failures < connectors.length)) throw error;
      const { message, hint } = error;
      log.warning("link.down", { message, hint, failures });
      const waitMs = backOffMs(failures, settings.limits, io.random);
      await io.clock.sleep(waitMs, signal).catch(() => {});
      if (!signal.aborted) continue;
      throw new Fault("link/unreachable", `${message}; gave up after ${options.timeoutMs} ms`, {
        cause: error,
        ...(hint === undefined ? {} : { hint }),
      });
    }
  }
}

async function send(
  options: ReportOnceOptions,
  { outbox, signal, cut }: Parts,
  connect: Connector,
): Promise<ReportOnceResult> {
  const wake = createWake();
  const onAcknowledged = () => wake.call();
  const topics = nodeTopics(options.settings.address);
  const link = await openLinkSession({
    ...options,
    epoch: options.io.random.uuid(),
    nextNumber: () => outbox.nextSession(),
    outbox,
    connector: connect,
    reception: reception({ ...options, outbox, topics, onAcknowledged }),
    signal,
    cut,
  });
  const look = () => wake.call();
  link.gone.addEventListener("abort", look, { once: true });
  signal.addEventListener("abort", look, { once: true });
  try {
    for (;;) {
      await link.drain(); // again at each ack: only so many are sent ahead of the server
      const left = outbox.size().events;
      if (left === 0 || options.settings.acknowledge === "broker" || signal.aborted) {
        return { by: "this", left };
      }
      await wake.next();
      link.gone.throwIfAborted();
    }
  } finally {
    await link.leave("reported");
  }
}

function mayHeal(error: unknown): boolean {
  return (
    isFault(error, "link/unreachable") ||
    isFault(error, "link/lost") ||
    isFault(error, "link/timeout")
  );
}
