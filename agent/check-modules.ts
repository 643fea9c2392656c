import type { Finding } from "#core/finding.ts";
import type { NixSyntaxFault } from "#provisioner/system/parse-nix.ts";
import type { Translation } from "#provisioner/userdata/translation.ts";

/** Bytes that one module may have. */
const maxBytes = 1024 * 1024;

/** Says where a text stops being Nix, `undefined` where it is Nix; a text that runs as `name` already is. */
export type ParseModule = (text: string, name: string) => Promise<NixSyntaxFault | undefined>;

/** An error for each module of a spec that is no Nix. Nothing of them is evaluated. */
export async function checkModules(
  { spec, origins }: Pick<Translation, "spec" | "origins">,
  parse: ParseModule,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const [index, { name, text }] of (spec.modules ?? []).entries()) {
    const fault = await faultOf(text, name, parse);
    if (fault === undefined) continue;
    const { document = "user-data", line = 1 } = origins.get(`modules.${index}`) ?? {};
    findings.push({
      ...{ document, path: `modules.${index}`, level: "error", code: "user-data/nix-syntax" },
      line: fault.line === null ? line : (line ?? 1) + fault.line - 1,
      column: fault.column ?? 1,
      message: `Nix cannot read this module: ${fault.message}`,
      hint: "`nix-instantiate --parse FILE` says the same of the module alone",
    });
  }
  return findings;
}

async function faultOf(
  text: string,
  name: string,
  parse: ParseModule,
): Promise<NixSyntaxFault | undefined> {
  if (Buffer.byteLength(text) <= maxBytes) return parse(text, name);
  return { line: null, column: null, message: "it has more than 1 MiB" };
}
