import { refused, refusedModule } from "./refused.ts";

/** `snap`: commands and assertions of snapd. */
export const snap = refusedModule({
  name: "snap",
  rule:
    "NixOS has no snap. What `snap install` would bring is named under `packages` by its attribute of nixpkgs; " +
    "assertions of snapd mean nothing there. A command that has nothing to do with snap belongs into `runcmd`.",
  example: `snap:
  assertions:
    - signed_assertion_blob_here
  commands:
    - [install, yq]
`,
  keys: {
    snap: refused.mapping("NixOS has no snap; name packages of nixpkgs under `packages`", {
      commands: refused.anyOf(
        ["a list", "a mapping"],
        "NixOS has no snap; name what they install under `packages`, and put other commands under `runcmd`",
      ),
      assertions: refused.anyOf(
        ["a list", "a mapping"],
        "NixOS has no snap; what a binary cache signs with is nix.settings.trusted-public-keys",
      ),
    }),
  },
});
