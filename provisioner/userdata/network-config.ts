import type { SpecDraft } from "./draft.ts";
import type { Input } from "./input.ts";
import { notTranslated } from "./network-parts.ts";
import { fillFromVersion1 } from "./network-version1.ts";
import { fillFromVersion2 } from "./network-version2.ts";

/**
 * A network config of cloud-init, version 1 or 2, with or without its `network` key -> the spec's
 * network. What is not translated, and what no network config may say, is named in a finding.
 */
export function fillFromNetworkConfig(root: Input, draft: SpecDraft): void {
  if (root.value === null) return;
  if (!root.isMapping()) return root.expected("a mapping of version 1 or 2");
  const network = root.get("network") ?? root;
  if (!fill(network, draft)) return;
  for (const input of root.document.unmarked()) notTranslated(input);
}

/** Whether there was something that could be read. */
function fill(network: Input, draft: SpecDraft): boolean {
  const config = network.get("config");
  if (config?.value === "disabled") {
    config.mark("translated");
    network.get("version")?.mark("translated");
    return true;
  }
  const version = network.get("version")?.value;
  if (version === 2) fillFromVersion2(network, draft);
  else if (version === 1) fillFromVersion1(network, draft);
  else {
    network.mark("unsupported");
    network.add("error", {
      code: "network/version",
      message: "expected `version: 1` or `version: 2`",
      hint: "write `version: 2` above `ethernets:`, or `version: 1` above a list under `config:`",
    });
    return false;
  }
  network.get("version")?.mark("translated");
  return true;
}
