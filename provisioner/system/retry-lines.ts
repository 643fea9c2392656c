import type { Files } from "#core/io.ts";
import type { CommandLine } from "./command-lines.ts";

/** The timer that starts the boot again, and the unit that it starts, without suffix. */
const unit = "firstlight-retry";
/** The boot, as the module has it. */
export const bootUnit = "firstlight-boot.service";
const quickMs = 60_000;

/** Whether the timer is set: systemd keeps a file of it for that long. */
export function isRetrySet(files: Files): boolean {
  return files.stat(`/run/systemd/transient/${unit}.timer`) !== undefined;
}

/** The lines of {@link retry}; systemd keeps the timer, whoever dies. */
export const retryLines = {
  stop: {
    argv: ["systemctl", "stop", `${unit}.timer`],
    timeoutMs: quickMs,
    effect: "stop the timer of the next try",
  } satisfies CommandLine,
  arm: (afterMs: number): CommandLine => ({
    argv: [
      "systemd-run",
      "--collect",
      "--quiet",
      "--no-ask-password",
      `--on-active=${Math.ceil(afterMs / 1000)}s`,
      "--timer-property=AccuracySec=1s",
      `--unit=${unit}`,
      "systemctl",
      "start",
      "--no-block",
      bootUnit,
    ],
    timeoutMs: quickMs,
    effect: "arm the next try",
  }),
};
