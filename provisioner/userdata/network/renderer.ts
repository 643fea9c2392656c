import type { Network } from "#generated/provisioner/spec/v1.ts";
import type { SpecDraft } from "../draft.ts";
import type { Input } from "../input.ts";
import { getOwn } from "../own-key.ts";

/** Names of version 2 for what sets a network up. */
const renderers: Readonly<Record<string, NonNullable<Network["renderer"]>>> = {
  networkd: "networkd",
  "systemd-networkd": "networkd",
  networkmanager: "NetworkManager",
  "network-manager": "NetworkManager",
};

/**
 * `renderer` of a whole network, of a kind of interfaces or of one. There is one for all of them: the
 * first that is said counts, and another one is a finding.
 */
export function readRenderer(input: Input, draft: SpecDraft): void {
  if (input.value === null) return input.mark("translated");
  const said = getOwn(renderers, input.scalarText().trim().toLowerCase());
  if (typeof input.value === "object" || said === undefined) {
    const message = "nothing of this name sets up a network here";
    const hint = "say networkd or NetworkManager";
    return input.unsupported({ code: "network/unsupported", message, hint });
  }
  const known = draft.spec.network?.renderer;
  if (known === undefined) {
    draft.spec.network = { renderer: said, ...draft.spec.network };
    draft.origin(["network", "renderer"], input);
  } else if (known !== said) {
    const message = `one program sets up the whole network, which is ${known} already`;
    const hint = "say the same of every interface";
    return input.unsupported({ code: "network/unsupported", message, hint });
  }
  input.mark("translated");
}
