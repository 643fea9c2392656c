import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Fault } from "#core/fault.ts";
import { hasErrors } from "#core/finding.ts";
import { hostFiles } from "#core/host-files.ts";
import type { ProfileSet } from "#provisioner/profiles/profile.ts";
import type { SourceFile } from "#provisioner/render/sources.ts";
import type { CheckParameters, Templates } from "#provisioner/render/templates.ts";
import { type PublishedSchema, publishedSchemas, shippedPath } from "./published-schemas.ts";

/** What is shipped beside the program: profiles, templates, the NixOS module. */
export interface Assets {
  profiles(): Promise<ProfileSet>;
  templates(): Promise<Templates>;
  agentModule(): readonly SourceFile[];
  /** The text of a JSON Schema. */
  schema(name: PublishedSchema): string;
  /** A check of the parameters of these templates; what has no schema is not checked here. */
  parameterCheck(names: readonly string[]): Promise<CheckParameters>;
}

/** Finds the assets: beside the bundle, or in the source tree. */
export function findAssets(): Assets {
  const directory = assetsDirectory();
  const files = hostFiles(directory, () => {});
  return {
    async profiles() {
      const { openStoredProfiles } = await import("#provisioner/profiles/stored-profiles.ts");
      const stored = openStoredProfiles(files, "/hardware-profiles");
      if (stored !== undefined) return stored;
      // In the source tree; what was built is of use as long as it is of the same profiles.
      const { digestOfProfiles } = await import("#provisioner/profiles/profile-digest.ts");
      const built = openStoredProfiles(files, "/dist/hardware-profiles");
      if (built?.digest === digestOfProfiles(files, "/hardware-profiles")) return built;
      const { compileProfiles } = await import("#provisioner/profiles/compile.ts");
      const { compiled, findings } = compileProfiles(files, "/hardware-profiles");
      if (hasErrors(findings))
        throw new Fault(
          "profile/invalid",
          "hardware-profiles: `firstlight profiles lint` says what is wrong",
          { findings },
        );
      return compiled;
    },
    async templates() {
      return (await import("#provisioner/render/load-templates.ts")).loadTemplates(
        files,
        "/templates",
      );
    },
    agentModule() {
      const content = files.readText("/nixos/module.nix");
      if (content === undefined)
        throw new Fault(
          "cli/internal",
          `${directory}: expected nixos/module.nix beside the program`,
        );
      return [{ path: "module.nix", content, mode: 0o644 }];
    },
    schema(name) {
      const text =
        files.readText(`/${shippedPath(name)}`) ?? files.readText(`/${publishedSchemas[name]}`);
      if (text !== undefined) return text;
      throw new Fault(
        "cli/internal",
        `${directory}: expected ${shippedPath(name)} beside the program`,
      );
    },
    parameterCheck: async (names) =>
      (await import("./template-checks.ts")).loadParameterCheck(names),
  };
}

/**
 * Digest of the program with everything that is shipped beside it, as its build wrote it down;
 * `undefined` of a source tree, which changes at any time.
 */
export function programDigest(): string | undefined {
  const text = hostFiles(assetsDirectory(), () => {}).readText("/package.json");
  const { digest } = JSON.parse(text ?? "{}") as { readonly digest?: unknown };
  return typeof digest === "string" ? digest : undefined;
}

/** The nearest directory above this file that holds `templates`: the bundle's, or the source tree. */
function assetsDirectory(): string {
  let directory = path.dirname(fileURLToPath(import.meta.url));
  for (let depth = 0; depth < 4; depth++) {
    if (existsSync(path.join(directory, "templates")) && existsSync(path.join(directory, "nixos")))
      return directory;
    directory = path.dirname(directory);
  }
  throw new Fault(
    "cli/internal",
    "expected templates and nixos beside the program; it was not installed whole",
  );
}
