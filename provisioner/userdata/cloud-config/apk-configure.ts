import { refused, refusedModule } from "./refused.ts";

const way =
  "NixOS has no apk; add a binary cache with nix.settings.substituters under `firstlight: options`";

/** `apk_repos`: repositories of Alpine. */
export const apkConfigure = refusedModule({
  name: "apk_configure",
  rule:
    "NixOS has no apk: which release of a package counts is decided by the pinned nixpkgs, and what is built " +
    "elsewhere comes from binary caches (nix.settings.substituters).",
  example: `apk_repos:
  alpine_repo:
    version: v3.20
    community_enabled: true
`,
  keys: {
    apk_repos: refused.mapping(way, {
      preserve_repositories: refused.flag("NixOS has no apk; nothing is needed", () => true),
      alpine_repo: refused.mapping(`${way}; the pinned nixpkgs decides the release`),
      local_repo_base_url: refused.text(way),
    }),
  },
});
