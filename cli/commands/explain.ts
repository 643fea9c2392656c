import { exitCodes } from "#agent/outcome.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { type Code, codes } from "#core/codes.ts";
import { Fault } from "#core/fault.ts";
import { nearest } from "#core/nearest.ts";
import type { Command } from "../command.ts";

/** `firstlight explain` */
export const command: Command = {
  usage: "explain CODE",
  summary: "Say what a code of a fault or finding means, and what to do.",
  arity: [1, 1],
  async run({ args, json, out }) {
    const [code = ""] = args;
    if (!Object.hasOwn(codes, code)) {
      const near = nearest(code, Object.keys(codes));
      throw new Fault("cli/usage", `there is no code ${JSON.stringify(code)}`, {
        hint: near === undefined ? "docs/codes.md lists them" : `did you mean ${near}?`,
      });
    }
    const { means, action } = codes[code as Code];
    out.data(
      json
        ? prettyJson({ v: 1, code, means, action })
        : `${code}\n\n${means}\n\nWhat to do: ${action}`,
    );
    return exitCodes.done;
  },
};
