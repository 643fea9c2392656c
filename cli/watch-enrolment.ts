import { untilEnrolled } from "#agent/enroll/until-enrolled.ts";
import type { Schedule } from "#agent/schedule.ts";
import type { Settings } from "#generated/agent/settings.ts";
import type { Invocation } from "./command.ts";
import { openEnrolAttempt } from "./enrolment.ts";

/** How often it is looked whether the certificate is to be renewed. */
const lookMs = 3_600_000;

interface WatchOptions {
  readonly settings: Settings;
  readonly schedule: Schedule;
}

/** Enrols beside what the daemon does, and looks again each hour. Returns the end of it. */
export async function watchEnrolment(
  invocation: Invocation,
  { settings, schedule }: WatchOptions,
): Promise<() => Promise<void>> {
  const { io, log } = invocation;
  const end = new AbortController();
  const signal = AbortSignal.any([invocation.signal, end.signal]);
  const attempt = await openEnrolAttempt({ io, log, signal }, settings);
  const onCode = (code: string) => log.warning("enroll.approve", { code });
  let isLooking = false;
  const look = async () => {
    if (isLooking) return;
    isLooking = true;
    try {
      await untilEnrolled({ io, log, signal, attempt, onCode });
    } catch (error) {
      if (!signal.aborted) log.error("enroll.failed", { message: (error as Error).message });
    } finally {
      isLooking = false;
    }
  };
  const first = look();
  const stop = schedule.every({ name: "enrolment", intervalMs: lookMs }, look);
  return () => {
    stop();
    end.abort(new Error("the daemon ends"));
    return first;
  };
}
