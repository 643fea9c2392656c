/** JSON Schemas that are shipped beside the program, by name, with their place in the source tree. */
export const publishedSchemas = {
  facts: "provisioner/facts/facts.schema.json",
  "facts-report": "agent/facts/facts-report.schema.json",
} as const;

/** Name of a schema that is shipped. */
export type PublishedSchema = keyof typeof publishedSchemas;

/** Where a schema lies in the bundle. */
export function shippedPath(name: PublishedSchema): string {
  return `schemas/${name}-v1.json`;
}
