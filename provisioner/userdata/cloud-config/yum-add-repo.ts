import { refused, refusedModule } from "./refused.ts";

/** `yum_repos`: repositories of Fedora and its kin. */
export const yumAddRepo = refusedModule({
  name: "yum_add_repo",
  rule:
    "NixOS has no yum and no dnf: packages come from the pinned nixpkgs, what is built elsewhere from binary " +
    "caches (nix.settings.substituters). Where yum keeps its files is needed nowhere.",
  example: `yum_repos:
  epel:
    name: Extra packages
    baseurl: https://mirror.example.org/epel/9/$basearch
    gpgcheck: true
`,
  keys: {
    yum_repos: refused.mapping(
      "NixOS has no yum; add a binary cache with nix.settings.substituters and its key with nix.settings.trusted-public-keys under `firstlight: options`",
    ),
    yum_repo_dir: refused.text("NixOS has no yum; drop it", () => true),
  },
});
