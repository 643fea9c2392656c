import { text } from "node:stream/consumers";
import { answerTemplate, type TemplateRequest } from "#provisioner/userdata/jinja/child.ts";
import type { Command } from "../command.ts";

/** `firstlight jinja`, hidden: the child that renders a template and may be killed. */
export const command: Command = {
  usage: "jinja",
  summary: "Render a template; started by firstlight itself.",
  arity: [0, 0],
  async run({ out }) {
    const request = JSON.parse(await text(process.stdin)) as TemplateRequest;
    out.data(JSON.stringify(answerTemplate(request)));
    return 0;
  },
};
