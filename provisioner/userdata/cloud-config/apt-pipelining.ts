import { refused, refusedModule } from "./refused.ts";

/** `apt_pipelining`: how apt asks its servers. */
export const aptPipelining = refusedModule({
  name: "apt_pipelining",
  rule: "NixOS has no apt, and Nix asks binary caches in parallel by itself: the key is named, and nothing is lost.",
  example: "apt_pipelining: false\n",
  keys: {
    apt_pipelining: {
      ...refused.anyOf(
        ["true or false", "a number", "text"],
        "NixOS has no apt; drop it, or set nix.settings.http-connections under `firstlight: options`",
        () => true,
      ),
      isKnown: (value) => typeof value !== "string" || ["os", "none", "unchanged"].includes(value),
    },
  },
});
