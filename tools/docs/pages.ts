import { cloudConfigPage } from "./cloud-config.ts";
import { codesPage } from "./codes.ts";
import { schemaPage } from "./schema-page.ts";
import { systemStatesPage } from "./system-states.ts";
import { templatesPage } from "./templates.ts";

/** Every page that is made from code, by its path in the repository. */
export function generatedPages(): ReadonlyMap<string, string> {
  return new Map([
    ["docs/codes.md", codesPage()],
    ["docs/cloud-config.md", cloudConfigPage()],
    [
      "docs/spec.md",
      schemaPage(
        "The spec",
        "Secrets may stand in it as plain text; firstlight moves them to the credential store before anything else sees them.",
        "provisioner/spec/v1.schema.json",
      ),
    ],
    [
      "docs/settings.md",
      schemaPage(
        "Settings",
        "In NixOS: `services.firstlight.settings`; beside it there are `services.firstlight.enable`, `.package`, `.pins` and `.panicSeconds` (`nixos/module.nix`).",
        "agent/settings.schema.json",
      ),
    ],
    ["docs/templates.md", templatesPage()],
    ["docs/system-states.md", systemStatesPage()],
  ]);
}
