import { Fault, isFault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type { Assignment } from "#protocol/trust/assignment.ts";
import type { Window } from "./assignment.ts";

/** Whether an update may begin. */
export type Timing =
  | { readonly kind: "now" }
  | {
      readonly kind: "later";
      /** Looked at again after so long; `null` where only another event changes it. */
      readonly afterMs: number;
      readonly why: string;
    }
  | { readonly kind: "expired"; readonly why: string };

/** What it is decided from; plain values. */
export interface TimingInput {
  readonly update: Pick<Assignment["update"], "notBefore" | "deadline" | "window" | "urgent">;
  /** The owner's windows; an update may begin in its own and in one of these. */
  readonly windows: readonly Window[];
  readonly nowMs: number;
  /** Whether the time of day can be believed: a server of time has said it in this boot. */
  readonly clockTrusted: boolean;
  /** Whether a window waits for a clock that can be believed, or is left out without one. */
  readonly withoutClock: "wait" | "begin";
}

const minuteMs = 60_000;
const dayMs = 86_400_000;
/** So often a clock that is not set yet is looked at. */
const clockMs = 5 * minuteMs;

/**
 * When an update may begin. Times and windows are times of day: with a clock that nobody has set they
 * mean nothing, so that a deadline never expires by it, and what is to wait for a time waits for the clock,
 * unless it is urgent or the owner says otherwise. A deadline that is over ends the update, urgent or not.
 * Throws `update/window-invalid`.
 */
export async function timingOf(input: TimingInput): Promise<Timing> {
  const { update, windows, nowMs, clockTrusted } = input;
  const { notBefore, deadline, urgent = false } = update;
  const all = [...(update.window === undefined ? [] : [update.window]), ...windows];
  const opening = await Promise.all(all.map((window) => openWindow(window)));
  if (!clockTrusted) {
    const hasTimes = notBefore !== undefined || all.length > 0;
    if (!hasTimes || urgent || input.withoutClock === "begin") return { kind: "now" };
    return {
      kind: "later",
      afterMs: clockMs,
      why: "the clock was not set by a server of time yet",
    };
  }
  if (deadline !== undefined && nowMs >= Date.parse(deadline))
    return { kind: "expired", why: `its deadline was ${deadline}` };
  if (urgent) return { kind: "now" };
  const waitMs = notBefore === undefined ? 0 : Date.parse(notBefore) - nowMs;
  if (waitMs > 0)
    return { kind: "later", afterMs: Math.min(waitMs, dayMs), why: `not before ${notBefore}` };
  const own = update.window === undefined ? [] : opening.slice(0, 1);
  const owners = opening.slice(own.length);
  const isOpen = (each: OpenWindow) => each.isOpen(nowMs);
  const shut = [
    ...own.filter((each) => !isOpen(each)),
    ...(owners.length === 0 || owners.some(isOpen) ? [] : owners),
  ];
  const [first] = shut;
  if (first === undefined) return { kind: "now" };
  const afterMs = Math.min(...shut.map((each) => each.opensAfterMs(nowMs)));
  const untilMs = deadline === undefined ? Number.POSITIVE_INFINITY : Date.parse(deadline) - nowMs;
  const why = `outside of the window ${first.text}`;
  return { kind: "later", afterMs: Math.max(1, Math.min(afterMs, untilMs)), why };
}

interface OpenWindow {
  readonly text: string;
  isOpen(nowMs: number): boolean;
  /** Until it opens; what lies further away than a day is looked at again then. */
  opensAfterMs(nowMs: number): number;
}

const mostMinutes = 7 * 24 * 60;

async function openWindow({ cron, durationMinutes, timezone }: Window): Promise<OpenWindow> {
  const text = `${cron} for ${durationMinutes} min${timezone === undefined ? "" : ` (${timezone})`}`;
  const { createTask, validate } = await import("node-cron");
  const isCron = cron.trim().split(/\s+/).length === 5 && validate(cron);
  const isLong = durationMinutes >= 1 && durationMinutes <= mostMinutes;
  if (!isCron || !isLong || !isTimezone(timezone))
    throw new Fault("update/window-invalid", `window ${text}: cannot be read`);
  const task = createTask(cron, () => {}, timezone === undefined ? {} : { timezone });
  const opensAt = (ms: number) => task.match(new Date(ms - (ms % minuteMs)));
  return {
    text,
    isOpen(nowMs) {
      for (let minute = 0; minute < durationMinutes; minute++)
        if (opensAt(nowMs - minute * minuteMs)) return true;
      return false;
    },
    opensAfterMs(nowMs) {
      const next = nowMs - (nowMs % minuteMs) + minuteMs;
      for (let ms = next; ms < nowMs + dayMs; ms += minuteMs) if (opensAt(ms)) return ms - nowMs;
      return dayMs;
    },
  };
}

function isTimezone(timezone: string | undefined): boolean {
  if (timezone === undefined) return true;
  try {
    new Intl.DateTimeFormat("en", { timeZone: timezone });
    return true;
  } catch {
    return false;
  }
}

/** systemd-timesyncd's mark that it has set the clock in this boot. */
const timesyncMark = "/run/systemd/timesync/synchronized";

/**
 * Whether a server of time has set the clock in this boot: by systemd-timesyncd's mark, else by the kernel's
 * own word, which every other program of the kind sets; timedatectl reads it.
 */
export async function isClockTrusted(io: Io): Promise<boolean> {
  if (io.files.stat(timesyncMark) !== undefined) return true;
  const args = ["show", "--property=NTPSynchronized", "--value"];
  try {
    const { code, stdout } = await io.exec({ file: "timedatectl", args, timeoutMs: 10_000 });
    return code === 0 && stdout.trim() === "yes";
  } catch (error) {
    if (isFault(error)) return false;
    throw error;
  }
}
