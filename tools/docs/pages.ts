import { cloudConfigPage } from "./cloud-config.ts";
import { codesPage } from "./codes.ts";
import { commandsPage } from "./commands.ts";
import { hardwarePage } from "./hardware.ts";
import { profilesPage } from "./profiles.ts";
import { schemaPage } from "./schema-page.ts";
import { systemStatesPage } from "./system-states.ts";
import { templatesPage } from "./templates.ts";
import { updateStatesPage } from "./update-states.ts";

/** Every page that is made from code, by its path in the repository. */
export async function generatedPages(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ["docs/codes.md", codesPage()],
    ["docs/commands.md", await commandsPage()],
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
      "docs/plan.md",
      schemaPage(
        "The plan",
        "`firstlight plan` prints `text`; with `--json` it prints the whole document. `firstlight apply --plan DIGEST` activates exactly the plan of this digest, or nothing (`system/plan-stale`); where nothing is left to do, the digest must be that of the plan that was applied last.",
        "provisioner/system/plan.schema.json",
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
    [
      "docs/closure-manifest.md",
      schemaPage(
        "The manifest of a built system",
        "A node fetches a system by this manifest, which `firstlight closure manifest` makes and signs. Signed by Ed25519 is the text `firstlight closure manifest 1 DIGEST` with the hexadecimal SHA-256 of its canonical JSON (keys sorted, no white space). The file that travels is `{ manifest, signatures: [{ key, signature }] }`; a node finds it as `ADDRESS/INPUTDIGEST.json` below the addresses in `fetch.manifests` of its [settings](settings.md), or is given it by `--fetch FILE`. A manifest that holds a path which the system does not need, or lacks one, is refused although it is signed.",
        "provisioner/system/fetch/manifest.schema.json",
      ),
    ],
    [
      "docs/enrolment-settings.md",
      schemaPage(
        "Settings of the enrolment server",
        "`enroll.json` in the directory of the fleet; `firstlight fleet enroll init` writes a first one. [enrolment.md](enrolment.md) says how it all works.",
        "fleet/enroll/enroll-settings.schema.json",
      ),
    ],
    [
      "docs/rollout.md",
      schemaPage(
        "The definition of a rollout",
        "A file in YAML or JSON. What comes of it, [docs/rollouts.md](rollouts.md) tells; selectors are explained in [docs/registry.md](registry.md#selectors).",
        "fleet/rollout/definition.schema.json",
      ),
    ],
    [
      "docs/rollout-scenario.md",
      schemaPage(
        "A fleet to simulate",
        "The file that `firstlight fleet simulate` takes, in YAML or JSON.",
        "fleet/rollout/scenario.schema.json",
      ),
    ],
    ["docs/templates.md", templatesPage()],
    ["docs/hardware.md", hardwarePage()],
    ["docs/hardware-profiles.md", profilesPage()],
    ["docs/system-states.md", systemStatesPage()],
    ["docs/update-states.md", updateStatesPage()],
  ]);
}
