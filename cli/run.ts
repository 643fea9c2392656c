import { parseArgs } from "node:util";
import { exitCodeOfFault, exitCodes } from "#agent/outcome.ts";
import { withAdvice } from "#core/advice.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { describeFault, Fault, isFault } from "#core/fault.ts";
import { type Finding, formatFinding } from "#core/finding.ts";
import { hostIo } from "#core/host-io.ts";
import { createLog, type LogRecord } from "#core/log.ts";
import { nearest } from "#core/nearest.ts";
import { type Command, type Flags, type Output, textFlag } from "./command.ts";
import { commands } from "./commands.ts";
import { globalFlags, globalOptions } from "./global-options.ts";
import { isDirectory } from "./path-kind.ts";
import { openTerminal, pageOf } from "./terminal.ts";

const program = "firstlight";

/** Runs one command line; returns its exit code and never throws. */
export async function run(argv: readonly string[]): Promise<number> {
  const out = hostOutput();
  const [name = "", ...rest] = commandFirst(argv);
  const json = argv.includes("--json");
  try {
    if (name === "help" && rest[0] !== undefined) return await run([rest[0], "--help"]);
    if (name === "" || name === "--help" || name === "-h" || name === "help") {
      out.data(await overview());
      return name === "" ? exitCodes.invalidInput : exitCodes.done;
    }
    if (name === "--version") {
      out.data((await import("./version.ts")).version);
      return exitCodes.done;
    }
    const entry = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (entry === undefined) throw await unknownCommand(name);
    const { command } = await entry.load();
    return await invoke(command, name, rest, out);
  } catch (error) {
    return tellFault(error, json, out);
  }
}

/** Arguments with the flags that every command takes behind the command, where they stand before it. */
function commandFirst(argv: readonly string[]): readonly string[] {
  let at = 0;
  while (/^(?:--root(?:=.*)?|--json|--help|--verbose|--quiet|-[hvq]+)$/s.test(argv[at] ?? ""))
    at += argv[at] === "--root" ? 2 : 1;
  const name = argv[at];
  if (name === undefined || name.startsWith("-")) return argv.slice(name === undefined ? 0 : at);
  return [name, ...argv.slice(0, at), ...argv.slice(at + 1)];
}

async function invoke(
  command: Command,
  name: string,
  argv: readonly string[],
  out: Output,
): Promise<number> {
  const { flags, args } = parse(command, argv);
  if (flags["help"] === true) {
    out.data(helpOf(command));
    return exitCodes.done;
  }
  const [least, most] = command.arity;
  if (args.length < least || args.length > most) {
    throw new Fault("cli/usage", `${name}: expected ${program} ${command.usage}`);
  }
  const root = textFlag(flags, "root");
  if (root !== undefined) checkRoot(root);
  const io = hostIo({ ...(root === undefined ? {} : { root }), ...effectHook() });
  const log = createLog(io.clock, logSink(out, flags));
  const abort = new AbortController();
  const stop = (signal: NodeJS.Signals) =>
    abort.abort(new Fault("cli/interrupted", `ended by ${signal}`));
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  try {
    return await command.run({
      args,
      flags,
      json: flags["json"] === true,
      io,
      log,
      out,
      signal: abort.signal,
    });
  } catch (error) {
    // Whatever broke because the end was asked for: that it was asked for is the reason.
    throw abort.signal.aborted && !isFault(error) ? abort.signal.reason : error;
  } finally {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  }
}

function parse(
  command: Command,
  argv: readonly string[],
): { readonly flags: Flags; readonly args: readonly string[] } {
  const options = { ...globalOptions, ...command.options };
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options,
      allowPositionals: true,
    });
    return { flags: values as Flags, args: positionals };
  } catch (error) {
    const { message, near } = describeArguments(error, options);
    const usage = `${program} ${command.usage}`;
    const hint = near === undefined ? usage : `did you mean \`--${near}\`? ${usage}`;
    throw new Fault("cli/usage", message, { hint });
  }
}

/** What parseArgs of Node says of an option, in the words of this program, and the option it is like. */
function describeArguments(
  error: unknown,
  options: object,
): { readonly message: string; readonly near?: string | undefined } {
  const { code, message } = error as { readonly code?: unknown; readonly message: string };
  const [option = ""] =
    /--?[^\s'=,<]+(?=[^,]*$)/.exec(message.replace(/\. To specify.*$/s, "")) ?? [];
  switch (code) {
    case "ERR_PARSE_ARGS_UNKNOWN_OPTION":
      return {
        message: `${option}: no such option`,
        near: nearest(option.replace(/^-+/, ""), Object.keys(options)),
      };
    case "ERR_PARSE_ARGS_INVALID_OPTION_VALUE": {
      const takes = message.includes("does not take");
      return { message: `${option}: ${takes ? "takes no value" : "a value is missing behind it"}` };
    }
    default:
      return { message };
  }
}

/**
 * For campaigns: the process kills itself immediately before the effect with this number, or says
 * afterwards how many there were.
 */
function effectHook(): { onEffect?: (number: number, name: string) => void } {
  const dieAt = Number(process.env["FIRSTLIGHT_DIE_AT_EFFECT"]);
  const isCounting = process.env["FIRSTLIGHT_COUNT_EFFECTS"] !== undefined;
  if (!Number.isInteger(dieAt) && !isCounting) return {};
  return {
    onEffect(number, name) {
      if (isCounting) process.stderr.write(`effect ${number} ${name}\n`);
      if (number === dieAt) process.kill(process.pid, "SIGKILL");
    },
  };
}

/** A machine is never made by looking for one in the wrong place. */
function checkRoot(root: string): void {
  if (root === "" || isDirectory("--root", root) !== true)
    throw new Fault("cli/usage", `--root: expected a directory, got ${JSON.stringify(root)}`);
}

/** Where a command speaks, and the findings that it has told. */
interface HostOutput extends Output {
  readonly told: readonly Finding[];
}

function hostOutput(): HostOutput {
  // A reader that has gone (`| head`) does not end what is under way.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  const line = (text: string) => (text.endsWith("\n") ? text : `${text}\n`);
  const terminal = openTerminal(process.stderr, process.env);
  const told: Finding[] = [];
  const talk = (text: string) => terminal.write(line(text));
  return {
    data: (text) => terminal.aside(() => process.stdout.write(line(text))),
    talk,
    findings(findings) {
      told.push(...findings);
      for (const finding of findings) talk(formatFinding(finding));
    },
    told,
    page: pageOf(process.stdout, process.env),
    live: terminal.live,
  };
}

function logSink(out: Output, flags: Flags): (record: LogRecord) => void {
  const asJson = process.env["INVOCATION_ID"] !== undefined || flags["json"] === true;
  return (record) => {
    if (record.level === "debug" && flags["verbose"] !== true) return;
    if (record.level === "info" && flags["quiet"] === true) return;
    out.talk(
      asJson
        ? JSON.stringify({
            ts: record.at,
            level: record.level,
            msg: record.event,
            ...record.fields,
          })
        : plainLine(record),
    );
  };
}

function plainLine({ at, level, event, fields }: LogRecord): string {
  const texts = Object.entries(fields)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(
      ([key, value]) =>
        `${key}=${typeof value === "string" && /[\s"=]/.test(value) ? JSON.stringify(value) : value}`,
    );
  const mark = level === "info" ? "" : `${level} `;
  return `${at.slice(11, 23)} ${mark}${event} ${texts.join(" ")}`.trimEnd();
}

function tellFault(error: unknown, json: boolean, out: HostOutput): number {
  const fault = withAdvice(describeFault(error));
  const findings = isFault(error) ? error.findings : [];
  if (json) {
    out.data(prettyJson({ v: 1, fault, findings: [...out.told, ...findings] }));
  } else {
    out.findings(findings);
    out.talk(`${program}: ${fault.message} [${fault.code}]`);
    for (const cause of fault.causes) out.talk(`  because: ${cause}`);
    out.talk(`  ${fault.hint}`);
    if (fault.code === "cli/internal" && error instanceof Error) out.talk(error.stack ?? "");
  }
  return exitCodeOfFault(fault);
}

async function unknownCommand(name: string): Promise<Fault> {
  if (name.startsWith("-")) {
    const hint = `options stand behind the command: ${program} COMMAND ${name}`;
    return new Fault("cli/usage", `expected a command, got the option \`${name}\``, { hint });
  }
  const near = (await commandWithVerb(name)) ?? nearest(name, Object.keys(commands));
  const hint = near === undefined ? `${program} --help lists them` : `did you mean \`${near}\`?`;
  return new Fault("cli/usage", `there is no command \`${name}\``, { hint });
}

/** The command that has this word as its first argument: `match` is one of `profiles`. */
async function commandWithVerb(verb: string): Promise<string | undefined> {
  for (const [name, { load, hidden }] of Object.entries(commands)) {
    if (hidden === true) continue;
    const { usage } = (await load()).command;
    const verbs = usage
      .slice(name.length)
      .split(" | ")
      .map((text) => text.trim().split(/[^a-z]/)[0]);
    if (verb !== "" && verbs.includes(verb)) return `${name} ${verb}`;
  }
  return undefined;
}

async function overview(): Promise<string> {
  const lines: string[] = [];
  for (const [name, { load, hidden }] of Object.entries(commands)) {
    if (hidden !== true) lines.push(`  ${name.padEnd(10)} ${(await load()).command.summary}`);
  }
  const flags = globalFlags.map(([flag, does]) => `  ${flag.padEnd(10)}  ${does}`);
  return `${program} brings a NixOS machine from its first boot to a healthy generation.\n\n${lines.join("\n")}\n\nEvery command takes:\n${flags.join("\n")}\n\n${program} COMMAND --help says more.`;
}

function helpOf(command: Command): string {
  const help = command.help === undefined ? "" : `\n\n${command.help}`;
  return `${program} ${command.usage}\n\n${command.summary}${help}`;
}
