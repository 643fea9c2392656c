import type { Instance } from "#agent/datasources/datasource.ts";
import { instanceData } from "#agent/instance-data.ts";
import type { RenderTemplate } from "#agent/render-documents.ts";
import type { Io } from "#core/io.ts";
import type { TemplateAnswer, TemplateRequest } from "#provisioner/userdata/jinja/child.ts";
import { renderInChild } from "#provisioner/userdata/jinja/render.ts";
import { templateVariables } from "#provisioner/userdata/jinja/variables.ts";
import { thisProgram } from "./this-program.ts";

const memoryMib = 128;

/** Renders a template over instance data by this same program again, with its hidden command. */
export function renderTemplate(
  io: Io,
  template: string,
  data: Parameters<typeof templateVariables>[0],
): Promise<TemplateAnswer> {
  const [node, ...args] = thisProgram("jinja");
  const argv = [node, `--max-old-space-size=${memoryMib}`, ...args] as const;
  const request: TemplateRequest = { template, variables: templateVariables(data) };
  return renderInChild(io, argv, request);
}

/** The same over what a datasource says. */
export function templateRenderer(io: Io): RenderTemplate {
  return (template: string, instance: Instance) =>
    renderTemplate(io, template, instanceData(io, instance));
}
