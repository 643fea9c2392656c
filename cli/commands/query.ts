import { readCommands } from "#agent/command-states.ts";
import { readInstanceData } from "#agent/instance-data.ts";
import { exitCodes } from "#agent/outcome.ts";
import type { Json } from "#core/canonical-json.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import { nearest } from "#core/nearest.ts";
import { printable } from "#core/printable.ts";
import { templateVariables } from "#provisioner/userdata/jinja/variables.ts";
import { type Command, type Invocation, textFlag } from "../command.ts";
import { readInput } from "../read-input.ts";

/** `firstlight query` */
export const command: Command = {
  usage:
    "query [KEY | --all | --format TEMPLATE] [--list-keys] [--user-data FILE] [--vendor-data FILE] [--root DIR]",
  summary:
    "Print what the datasource said about this machine: a value by its path, such as v1.instance_id.",
  help: "Without KEY everything is printed. Secrets are never among it. Keys of `v1` may be given without it.\n`commands.NAME.exitCode` says how a command of the spec ended. --format renders a\ntemplate of Jinja over the same, as `cloud-init query` does: '{{ v1.region }}', '{{ ds.meta_data.x }}';\n`-` reads it from stdin: `tail -n +2 FILE | firstlight query --format -` for user-data that is a template.\nKeys with `-` have a second name with `_`; what there is not prints as CI_MISSING_JINJA_VAR/NAME.\nDocuments are kept nowhere in plain text: with --user-data and --vendor-data a file of yours is `userdata`\nand `vendordata`. With --list-keys the keys are printed, of everything or of KEY.",
  options: {
    all: { type: "boolean", short: "a" },
    format: { type: "string", short: "f" },
    "list-keys": { type: "boolean", short: "l" },
    "user-data": { type: "string", short: "u" },
    "vendor-data": { type: "string" },
  },
  arity: [0, 1],
  async run(invocation) {
    const { io, args, json, out, flags } = invocation;
    const given = textFlag(flags, "format");
    if ([args[0], given, flags["all"]].filter((each) => each !== undefined).length > 1)
      throw new Fault("cli/usage", "one of KEY, --all and --format was expected");
    const data = readInstanceData(io.files);
    if (data === undefined) throw new Fault("boot/no-result", "no boot has left instance data yet");
    const commands = readCommands(io.files).map((each) => [each.name, { ...each }]);
    const all: { [key: string]: Json } = {
      ...(data as object),
      commands: Object.fromEntries(commands),
    };
    if (given !== undefined && flags["list-keys"] === true)
      throw new Fault("cli/usage", "one of --list-keys and --format was expected");
    const template = given === undefined ? undefined : await readTemplate(invocation, given);
    Object.assign(all, await readDocuments(invocation));
    if (template !== undefined) return format(invocation, template, all);
    const [key] = args;
    const whole = key === undefined ? all : find(all, key);
    // Keys with a hyphen have a second name, and those of v1 stand at the top as well.
    const value = whole === undefined ? find(templateVariables(all), key ?? "") : whole;
    if (value === undefined) throw unknownKey(all, key ?? "");
    if (flags["list-keys"] === true) {
      const keys = keysOf(value, key ?? "");
      out.data(json ? prettyJson(keys) : keys.join("\n"));
      return exitCodes.done;
    }
    out.data(typeof value === "string" && !json ? value : prettyJson(value));
    return exitCodes.done;
  },
};

/** Files that a person names, as cloud-init calls what it keeps of them. */
async function readDocuments({ flags, signal }: Invocation): Promise<{ [name: string]: Json }> {
  const documents: { [name: string]: Json } = {};
  for (const [flag, name] of Object.entries({
    "user-data": "userdata",
    "vendor-data": "vendordata",
  })) {
    const file = textFlag(flags, flag);
    if (file === undefined) continue;
    documents[name] = new TextDecoder().decode(await readInput(file, { signal }));
  }
  return documents;
}

/** A template as it is given, or from stdin: an argument is seen by every process, and has little room. */
async function readTemplate({ flags, signal }: Invocation, given: string): Promise<string> {
  if (given !== "-") return given;
  if (["user-data", "vendor-data"].some((flag) => textFlag(flags, flag) === "-"))
    throw new Fault("cli/usage", "--format -: stdin is read for a document already", {
      hint: "name the file of the document",
    });
  return new TextDecoder().decode(await readInput("-", { signal }));
}

async function format(
  { io, out }: Invocation,
  template: string,
  all: { readonly [key: string]: Json },
): Promise<number> {
  if (template === "")
    throw new Fault("cli/usage", "--format: expected a template, got an empty text", {
      hint: "firstlight query --format '{{ v1.instance_id }}'",
    });
  const { renderTemplate } = await import("../render-template.ts");
  const answer = await renderTemplate(io, template, all);
  if ("problem" in answer) {
    const { problem, line } = answer;
    const place = line === undefined ? "" : `line ${line} of the template: `;
    throw new Fault("cli/bad-input", `--format: ${place}${printable(problem)}`, {
      hint: "mend the template that --format is given; `firstlight query` prints what there is for it",
    });
  }
  const { text, missing } = answer;
  if (missing.length > 0)
    out.talk(`not there: ${missing.map(({ name }) => printable(name)).join(", ")}`);
  if (text === "") out.talk("the template is rendered to an empty text");
  out.data(text);
  return text === "" ? exitCodes.error : exitCodes.done;
}

function keysOf(value: Json, key: string): readonly string[] {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return Object.keys(value).sort();
  throw new Fault("cli/usage", `--list-keys: ${JSON.stringify(key)} is no mapping`, {
    hint: `firstlight query ${key} prints its value`,
  });
}

function find(value: Json, key: string): Json | undefined {
  let here: Json | undefined = value;
  for (const part of key.split(".")) {
    if (typeof here !== "object" || here === null) return undefined;
    const inside = here as { readonly [key: string]: Json };
    here = Object.hasOwn(inside, part) ? inside[part] : undefined;
  }
  return here;
}

function unknownKey(all: Json, key: string): Fault {
  const standard = Object.keys((all as { readonly v1?: object }).v1 ?? {}).sort();
  const near = nearest(key.replace(/^v1\./, ""), standard);
  const known = [...Object.keys(all as object).sort(), ...standard.map((name) => `v1.${name}`)];
  return new Fault("cli/usage", `there is no key ${JSON.stringify(key)}`, {
    hint: near === undefined ? `known are ${known.join(", ")}` : `did you mean v1.${near}?`,
  });
}
