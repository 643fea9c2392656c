import type { Finding } from "#core/finding.ts";
import type { Files, Io } from "#core/io.ts";
import { parseNix } from "#provisioner/system/parse-nix.ts";
import { folderIds } from "./profile-digest.ts";

const maxBytes = 256 * 1024;

/**
 * An error for each `module.nix` below `directory` that is no Nix. Nothing of them is evaluated. Throws
 * `exec/not-found` where there is a module and no Nix.
 */
export async function lintModules(
  { exec }: Pick<Io, "exec">,
  files: Files,
  directory: string,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const id of folderIds(files, directory)) {
    const text = files.readText(`${directory}/${id}/module.nix`, { maxBytes });
    if (text === undefined) continue;
    const fault = await parseNix({ exec }, text);
    if (fault === undefined) continue;
    findings.push({
      ...{ document: `${id}/module.nix`, path: "", level: "error", code: "profile/lint" },
      ...{ line: fault.line, column: fault.column },
      message: `Nix cannot read this module: ${fault.message}`,
      hint: "`nix-instantiate --parse FILE` says the same of the module alone",
    });
  }
  return findings;
}
