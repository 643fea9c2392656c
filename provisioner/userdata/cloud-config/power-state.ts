import { oneOf } from "#core/one-of.ts";
import { wordHint } from "#core/word-hint.ts";
import type { Input } from "../input.ts";
import { lintCommand } from "./lint-command.ts";
import type { CloudConfigModule, ModuleInput } from "./module.ts";
import { quoted } from "./own-command.ts";
import { addHook, inBackground } from "./own-hook.ts";
import { writtenPaths } from "./program-paths.ts";

const modes: Readonly<Record<string, string>> = { reboot: "-r", poweroff: "-P", halt: "-H" };
const defaultTimeoutS = 30;
const maxTimeoutS = 86_400;
/** A later one is no delay that somebody means. */
const maxDelayMinutes = 525_600;

/** `power_state`: what becomes of the machine when all is done. */
export const powerState: CloudConfigModule = {
  name: "power_state_change",
  keys: ["power_state"],
  rule:
    "Reboot, poweroff or halt, once per instance: after the first commit, so never while a system is on trial and never by one that was taken back. " +
    "It waits until the boot of firstlight and the commands of the document have ended, for `timeout` seconds at most (30 when absent), and then " +
    "asks the `condition`: `true`, or a command that ends with 0. `delay` is `now` or a number of minutes, `message` " +
    "is told to who is logged in.",
  example:
    "power_state:\n  mode: reboot\n  delay: 5\n  message: back in a moment\n  timeout: 120\n  condition: test -e /var/lib/app/needs-reboot\n",
  translate(module) {
    const input = module.config.get("power_state");
    if (input === undefined) return;
    if (!input.isMapping())
      return input.expected("a mapping with `mode`", "write it as `{ mode: reboot }`");
    const mode = readMode(input);
    const delay = readDelay(input.get("delay"));
    const message = readMessage(input.get("message"));
    const timeoutS = readTimeout(input.get("timeout"));
    const condition = readCondition(input.get("condition"), module);
    if (mode === undefined || delay === undefined || condition === undefined) return;
    if (condition === "false") return;
    const words = ["shutdown", mode, delay, ...(message === undefined ? [] : [quoted(message)])];
    const lines = script({ timeoutS, condition, command: words.join(" ") });
    addHook(module, { name: "power-state", lines, at: input });
    for (const [key, value] of input.entries()) if (known.has(key)) value.mark("agent");
  },
};

const known = new Set(["mode", "delay", "message", "timeout", "condition"]);

function readMode(input: Input): string | undefined {
  const modeInput = input.get("mode");
  if (modeInput === undefined) {
    if (!input.has("mode")) {
      input.mark("unsupported");
      input.add("error", {
        code: "user-data/wrong-type",
        message: "expected a mapping with `mode`",
        hint: `write \`mode: reboot\` below it, or ${oneOf(Object.keys(modes).slice(1))}`,
      });
    }
    return undefined;
  }
  const name = modeInput.text();
  if (name === undefined) return undefined;
  const mode = Object.hasOwn(modes, name) ? modes[name] : undefined;
  if (mode === undefined) {
    const known = Object.keys(modes);
    modeInput.expected(`one of ${known.join(", ")}`, wordHint(name, known), "another text");
  }
  return mode;
}

/** What `shutdown` takes: `now`, or minutes. */
function readDelay(input: Input | undefined): string | undefined {
  if (input === undefined || input.value === "now") {
    input?.mark("translated");
    return "now";
  }
  const text = typeof input.value === "number" ? String(input.value) : input.text();
  if (text === undefined) return input.value === null ? "now" : undefined;
  const minutes = /^\+?[0-9]{1,7}$/.test(text) ? Number(text) : Number.NaN;
  if (minutes <= maxDelayMinutes) {
    input.mark("translated");
    return `+${minutes}`;
  }
  input.expected("`now`, or a number of minutes", "write `5` for five minutes", "another value");
  return undefined;
}

function readMessage(input: Input | undefined): string | undefined {
  const text = input?.looseText();
  if (input === undefined || text === undefined || !text.includes("\0")) return text;
  input.expected("a text", "remove the character NUL, written as `\\\\0`", "one with NUL in it");
  return undefined;
}

/** Seconds; a fraction counts as a whole one. */
function readTimeout(input: Input | undefined): number {
  if (input === undefined) return defaultTimeoutS;
  const { value } = input;
  const isNumber =
    typeof value === "number" || (typeof value === "string" && /^[0-9.]{1,15}$/.test(value));
  const seconds = isNumber ? Number(value) : Number.NaN;
  if (seconds >= 0 && seconds <= maxTimeoutS) {
    input.mark("translated");
    return Math.ceil(seconds);
  }
  input.expected(`a number of seconds, ${maxTimeoutS} at most`, "write digits alone, such as `30`");
  return defaultTimeoutS;
}

const conditionHint =
  "write `condition: test -e /run/reboot-wanted`, or the same as a list of words";

/** A line of shell; `undefined`, with a finding, for what is none. */
function readCondition(input: Input | undefined, { config }: ModuleInput): string | undefined {
  if (input === undefined) return "true";
  if (typeof input.value === "boolean") {
    input.mark("translated");
    return String(input.value);
  }
  if (typeof input.value !== "string" && !input.isList()) {
    input.expected("true, false, a line of shell, or a list of words", conditionHint);
    return undefined;
  }
  const words = input.isList()
    ? input.items().map((word) => word.looseText() ?? "")
    : [input.text() ?? ""];
  if (words.length === 0 || words.some((word) => word.includes("\0"))) {
    input.expected("true, false, a line of shell, or a list of words", conditionHint, "none");
    return undefined;
  }
  lintCommand(input, words, { written: writtenPaths(config) });
  return input.isList() ? words.map(quoted).join(" ") : `sh -c ${quoted(words[0] ?? "")}`;
}

interface Change {
  readonly timeoutS: number;
  readonly condition: string;
  readonly command: string;
}

/**
 * Waits for the change that the hook is a part of, as for all that the document runs: also where that has not begun,
 * and waits for the end of the boot, a disk or the network itself.
 */
function script({ timeoutS, condition, command }: Change): readonly string[] {
  return inBackground("power-state", [
    "is() { # property, unit, value",
    '  [ "$(systemctl show -P "$1" "$2.service")" = "$3" ]',
    "}",
    "busy() {",
    "  is ActiveState firstlight-boot activating || is SubState firstlight-commands running ||",
    '    [ -n "$(systemctl show -P Job firstlight-commands.service)" ] ||',
    "    is ActiveState firstlight-phone-home active",
    "}",
    `left=${timeoutS}`,
    'while busy && [ "$left" -gt 0 ]; do sleep 1; left=$((left - 1)); done',
    `if ${condition}; then ${command}; fi`,
  ]);
}
