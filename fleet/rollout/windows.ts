import type { Window } from "#generated/fleet/rollout/definition.ts";

const dayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;
const dayMinutes = 24 * 60;

/** Day of the week (0 is Sunday) and minute of the day. */
interface TimeOfWeek {
  readonly day: number;
  readonly minute: number;
}

/** Whether nodes may be started, asked for many nodes at one moment. */
export type WindowCheck = (timezone: string | undefined) => boolean;

/**
 * Looks at the windows for one moment. An hour that the clocks pass over or go through twice is as long
 * as the clock on the wall makes it.
 */
export function windowCheck(windows: readonly Window[] | undefined, nowMs: number): WindowCheck {
  if (windows === undefined || windows.length === 0) return () => true;
  const times = new Map<string, TimeOfWeek>();
  const timeIn = (timezone: string) => {
    const known = times.get(timezone);
    if (known !== undefined) return known;
    const time = timeOfWeek(nowMs, timezone);
    times.set(timezone, time);
    return time;
  };
  const answers = new Map<string, boolean>();
  return (own = "UTC") => {
    let answer = answers.get(own);
    if (answer === undefined) {
      answer = windows.some((window) => isInside(window, timeIn(window.timezone ?? own)));
      answers.set(own, answer);
    }
    return answer;
  };
}

/** Whether this machine knows a time zone. */
export function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** A window as a node takes it with its update. */
export interface NodeWindow {
  /** When it begins, as cron has it. */
  readonly cron: string;
  readonly durationMinutes: number;
  readonly timezone?: string;
}

export function cronWindow({ days, from, to, timezone }: Window): NodeWindow {
  const [hour = "", minute = ""] = from.split(":");
  const week = days === undefined ? "*" : days.map((day) => dayNames.indexOf(day)).join(",");
  return {
    cron: `${Number(minute)} ${Number(hour)} * * ${week}`,
    durationMinutes: lengthOf(from, to),
    ...(timezone === undefined ? {} : { timezone }),
  };
}

function isInside({ days, from, to }: Window, { day, minute }: TimeOfWeek): boolean {
  const start = minuteOf(from);
  const length = lengthOf(from, to);
  const begins = (on: number) => {
    const name = dayNames[on];
    return days === undefined || (name !== undefined && days.includes(name));
  };
  if (begins(day) && minute >= start && minute < start + length) return true;
  return begins((day + 6) % 7) && minute + dayMinutes < start + length;
}

function lengthOf(from: string, to: string): number {
  return ((minuteOf(to) - minuteOf(from) + dayMinutes - 1) % dayMinutes) + 1;
}

function minuteOf(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
}

function timeOfWeek(nowMs: number, timezone: string): TimeOfWeek {
  const known = isTimezone(timezone) ? timezone : "UTC";
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: known,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  const parts = new Map(format.formatToParts(nowMs).map(({ type, value }) => [type, value]));
  const weekday = (parts.get("weekday") ?? "Sun").toLowerCase();
  return {
    day: (dayNames as readonly string[]).indexOf(weekday),
    minute: Number(parts.get("hour")) * 60 + Number(parts.get("minute")),
  };
}
