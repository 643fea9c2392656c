import { printable } from "#core/printable.ts";
import type { Input } from "../input.ts";
import type { CloudConfigModule, ModuleInput } from "./module.ts";
import { quoted } from "./own-command.ts";
import { addHook } from "./own-hook.ts";

const variable = /\$\{([A-Za-z0-9_.]+)\}|\$([A-Za-z0-9_.]*[A-Za-z0-9_])/g;

/** `final_message`: what is said when the instance is up. */
export const finalMessage: CloudConfigModule = {
  name: "final_message",
  keys: ["final_message"],
  rule:
    "Said on the console and in the journal, after the first commit of an instance. `$uptime`, `$timestamp`, " +
    "`$datasource` and `$version` (firstlight's), in either case of letters, have their value; other variables stay as they are " +
    "written, with a warning. Commands to a terminal, as colours, are left out, with a warning as well. A text that begins with `## template: jinja` is not rendered.",
  example: "final_message: up after $uptime seconds, from $datasource\n",
  translate(module) {
    const input = module.config.get("final_message");
    const said = input?.text();
    if (input === undefined || said === undefined) return;
    const shown = printable(said);
    if (shown !== said) nameLeftOut(input);
    const text = shown.trim();
    if (text === "") return;
    if (/^## *template: *jinja/i.test(text)) {
      return input.unsupported({
        code: "cloud-config/unsupported-key",
        message: "a template of jinja is not rendered here",
        hint: "write `$uptime`, `$timestamp` and `$datasource` in a plain text",
      });
    }
    const lines = [
      "read -r uptime rest < /proc/uptime",
      `message=${message(text, input, module)}`,
      `printf '%s\\n' "$message"`,
      `[ ! -w /dev/console ] || printf '%s\\n' "$message" > /dev/console`,
    ];
    addHook(module, { name: "final-message", lines, at: input });
    input.mark("agent");
  },
};

function nameLeftOut(input: Input): void {
  input.add("warning", {
    code: "cloud-config/unsupported-key",
    message:
      "commands to a terminal and control characters are left out: the console gets text alone",
    hint: "write the message without them",
  });
}

/** The text as words of shell; none of it is shell itself. */
function message(text: string, input: Input, { context }: ModuleInput): string {
  const values: Readonly<Record<string, string>> = {
    uptime: '"$uptime"',
    timestamp: `"$(date -R)"`,
    datasource: quoted(printable(context.datasource ?? "")),
    version: '"$(firstlight --version 2> /dev/null || echo firstlight)"',
  };
  const unknown = new Set<string>();
  let end = 0;
  let words = "";
  for (const found of text.matchAll(variable)) {
    const name = found[1] ?? found[2] ?? "";
    const value = Object.hasOwn(values, name.toLowerCase())
      ? values[name.toLowerCase()]
      : undefined;
    if (value === undefined) unknown.add(name);
    words += quoted(text.slice(end, found.index)) + (value ?? quoted(found[0]));
    end = found.index + found[0].length;
  }
  if (unknown.size > 0) {
    input.add("warning", {
      code: "cloud-config/unknown-value",
      message: "the text has a variable that has no value here; it stays as it is written",
      hint: `known are ${Object.keys(values).join(", ")}`,
    });
  }
  return words + quoted(text.slice(end));
}
