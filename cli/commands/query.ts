import { readCommands } from "#agent/command-states.ts";
import { readInstanceData } from "#agent/instance-data.ts";
import { exitCodes } from "#agent/outcome.ts";
import type { Json } from "#core/canonical-json.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import { nearest } from "#core/nearest.ts";
import type { Command } from "../command.ts";

/** `firstlight query` */
export const command: Command = {
  usage: "query [KEY] [--root DIR]",
  summary:
    "Print what the datasource said about this machine: a value by its path, such as v1.instance_id.",
  help: "Without KEY everything is printed. Secrets are never among it. Keys of `v1` may be given without it.\n`commands.NAME.exitCode` says how a command of the spec ended.",
  arity: [0, 1],
  async run({ io, args, json, out }) {
    const data = readInstanceData(io.files);
    if (data === undefined) throw new Fault("boot/no-result", "no boot has left instance data yet");
    const commands = readCommands(io.files).map((each) => [each.name, { ...each }]);
    const all: Json = { ...(data as object), commands: Object.fromEntries(commands) };
    const [key] = args;
    const whole = key === undefined ? all : find(all, key);
    const value = whole === undefined ? find(all, `v1.${key}`) : whole;
    if (value === undefined) throw unknownKey(all, key ?? "");
    out.data(typeof value === "string" && !json ? value : prettyJson(value));
    return exitCodes.done;
  },
};

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
