import { type RefusedKey, refused, refusedModule } from "./refused.ts";

const way = "NixOS has no Ubuntu Pro; security updates come with a newer pinned nixpkgs";
const services =
  "NixOS has no Ubuntu Pro; for hardened kernels and profiles see `boot.kernelPackages` and nixpkgs' profile `hardened` in a module of your own";
const proxy =
  "NixOS has no Ubuntu Pro; the proxy of every service is networking.proxy.default under `firstlight: options`";

const pro: RefusedKey = refused.mapping(way, {
  enable: refused.list(services),
  enable_beta: refused.list(services),
  token: refused.anyOf(["text", "a mapping"], `${way}; take the token out of the document`),
  features: refused.mapping(way, {
    disable_auto_attach: refused.flag(way, () => true),
  }),
  config: refused.mapping(proxy),
});

/** `ubuntu_pro`: subscription of Ubuntu, once called Ubuntu Advantage. */
export const ubuntuPro = refusedModule({
  name: "ubuntu_pro",
  rule:
    "NixOS has no Ubuntu Pro: nothing is attached. Security updates come with a newer pinned nixpkgs, for every " +
    "package alike; what the services of Pro harden is set by options.",
  example: "ubuntu_pro:\n  token: C1PLmDvn2wW4rYe3\n  enable: [livepatch]\n",
  keys: { ubuntu_pro: pro, ubuntu_advantage: pro },
});
