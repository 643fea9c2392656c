import { addProxies } from "./apt-proxy.ts";
import type { CloudConfigModule } from "./module.ts";
import { refused, refusedModule } from "./refused.ts";

const substituters =
  "NixOS has no apt: packages come from the pinned nixpkgs; for another place that has them built set nix.settings.substituters and nix.settings.trusted-public-keys under `firstlight: options`";
const mirror =
  "NixOS has no apt; for a mirror of the binary cache set nix.settings.substituters under `firstlight: options`";
const conf = "NixOS has no apt; the settings of Nix are nix.settings under `firstlight: options`";
const suites = "NixOS has no apt; which releases count is decided by the pinned nixpkgs";
const unneeded = "NixOS has no apt; nothing is needed";

const others = refusedModule({
  name: "apt_configure",
  rule:
    "NixOS has no apt. Each key below `apt` is named with its own way: sources and mirrors become binary caches " +
    "(nix.settings.substituters), an answer to debconf is an option. " +
    "What only says how apt keeps its lists is needed nowhere. The proxies are translated: the Nix daemon fetches packages through them.",
  example: `apt:
  preserve_sources_list: true
  https_proxy: http://192.0.2.8:3128
  primary:
    - arches: [default]
      uri: http://mirror.example.org/ubuntu
  sources:
    docker.list:
      source: deb https://download.example.org/linux/ubuntu noble stable
      keyid: 9DC858229FC7DD38854AE2D88D81803C0EBFCD88
`,
  keys: {
    apt: refused.mapping(substituters, {
      preserve_sources_list: refused.flag(unneeded, () => true),
      disable_suites: refused.list(suites),
      primary: refused.list(mirror),
      security: refused.list(mirror),
      add_apt_repo_match: refused.text(unneeded, () => true),
      debconf_selections: refused.mapping(
        "NixOS has no debconf: what a package asks there is an option of its service; see search.nixos.org/options",
      ),
      sources_list: refused.text(substituters),
      conf: refused.text(conf),
      sources: refused.mapping(
        `${substituters}; what has no package there is an overlay in a module of your own`,
      ),
    }),
    apt_mirror: refused.anyOf(["text"], mirror),
    apt_mirror_search: refused.anyOf(["text", "a list"], mirror),
    apt_mirror_search_dns: refused.flag(mirror, (value) => value === false),
    apt_sources: refused.anyOf(["a list", "a mapping"], substituters),
    apt_custom_sources_list: refused.text(substituters),
    apt_preserve_sources_list: refused.flag(unneeded, () => true),
    add_apt_repo_match: refused.text(unneeded, () => true),
    debconf_selections: refused.anyOf(
      ["text", "a mapping"],
      "NixOS has no debconf: what a package asks there is an option of its service",
    ),
  },
});

const olderProxies = ["apt_proxy", "apt_http_proxy", "apt_https_proxy", "apt_ftp_proxy"];
const { isRefused: _, ...about } = others;

/** `apt`: sources of packages of Debian and Ubuntu, and the proxies that they are fetched through. */
export const aptConfigure: CloudConfigModule = {
  ...about,
  keys: [...others.keys, ...olderProxies],
  translate(module) {
    others.translate(module);
    const apt = module.config.get("apt");
    if (apt !== undefined) addProxies(apt, module.draft);
    addProxies(module.config, module.draft, (key) => `apt_${key}`);
  },
};
