import type { Io } from "#core/io.ts";
import type { Log } from "#core/log.ts";

const timeoutMs = 5_000;

/**
 * Tells systemd a state such as `READY=1`, when it asked to be told. Node.js has no datagram
 * sockets of the unix kind, so `systemd-notify` does it; the unit needs `NotifyAccess=all`. It waits
 * until systemd has taken the notice: of a sender that has ended before, an unprivileged one, systemd
 * cannot tell the unit, and drops it (systemd-notify(1), `--no-block`).
 */
export async function notifySystemd(io: Io, log: Log, ...states: readonly string[]): Promise<void> {
  if (io.env["NOTIFY_SOCKET"] === undefined) return;
  try {
    const result = await io.exec({
      file: "systemd-notify",
      args: states,
      timeoutMs,
    });
    if (result.code !== 0)
      log.warning("systemd.notify.failed", { states: states.join(" "), code: result.code });
  } catch (error) {
    log.warning("systemd.notify.failed", {
      states: states.join(" "),
      message: (error as Error).message,
    });
  }
}

/** Milliseconds between two signs of life that systemd's watchdog should get, or `undefined` when it wants none. */
export function watchdogIntervalMs(io: Io): number | undefined {
  const timeoutUs = Number(io.env["WATCHDOG_USEC"] ?? "");
  return Number.isSafeInteger(timeoutUs) && timeoutUs > 0
    ? Math.floor(timeoutUs / 3000)
    : undefined;
}
