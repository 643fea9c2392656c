import type { Io } from "#core/io.ts";
import type { TemplateAnswer, TemplateRequest } from "#provisioner/userdata/jinja/child.ts";
import { renderInChild } from "#provisioner/userdata/jinja/render.ts";
import { thisProgram } from "./this-program.ts";

const memoryMib = 128;

/** Renders a template over variables by this same program again, with its hidden command. */
export function renderTemplate(io: Io, request: TemplateRequest): Promise<TemplateAnswer> {
  const [node, ...args] = thisProgram("jinja");
  return renderInChild(io, [node, `--max-old-space-size=${memoryMib}`, ...args], request);
}
