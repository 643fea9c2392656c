import { refused, refusedModule } from "./refused.ts";

const way =
  "NixOS has no zypper; add a binary cache with nix.settings.substituters under `firstlight: options`";

/** `zypper`: repositories of SUSE. */
export const zypperAddRepo = refusedModule({
  name: "zypper_add_repo",
  rule:
    "NixOS has no zypper: packages come from the pinned nixpkgs, what is built elsewhere from binary caches " +
    "(nix.settings.substituters); the settings of Nix are nix.settings.",
  example: `zypper:
  repos:
    - id: tools
      baseurl: https://mirror.example.org/tools/
  config:
    download.use_deltarpm: true
`,
  keys: {
    zypper: refused.mapping(way, {
      repos: refused.list(way),
      config: refused.mapping("NixOS has no zypper; the settings of Nix are nix.settings"),
    }),
  },
});
