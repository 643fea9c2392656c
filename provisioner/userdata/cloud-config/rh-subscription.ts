import { type RefusedKeys, refused, refusedModule } from "./refused.ts";

const way = "NixOS has no subscriptions; packages come from the pinned nixpkgs";
const repositories =
  "NixOS has no subscriptions; add a binary cache with nix.settings.substituters under `firstlight: options`";

/** Keys that have an older spelling with `-`. */
const spelledTwice: RefusedKeys = {
  activation_key: refused.text(way),
  auto_attach: refused.flag(way, (value) => value === false),
  service_level: refused.text(way),
  add_pool: refused.list(way),
  enable_repo: refused.list(repositories),
  disable_repo: refused.list(repositories),
  rhsm_baseurl: refused.text(repositories),
  server_hostname: refused.text(way),
};

/** `rh_subscription`: registration at Red Hat. */
export const rhSubscription = refusedModule({
  name: "rh_subscription",
  rule:
    "NixOS has no subscriptions: nothing is registered, and the secrets in this section are used nowhere. " +
    "What an added repository would bring is a package of nixpkgs or comes from a binary cache.",
  example: 'rh_subscription:\n  org: "12345"\n  activation_key: key1\n  enable_repo: [extras]\n',
  keys: {
    rh_subscription: refused.mapping(way, {
      username: refused.text(way),
      password: refused.text(way),
      org: refused.anyOf(["text", "a number"], way),
      release_version: refused.text(
        "NixOS has no subscriptions; the pinned nixpkgs decides the release",
      ),
      ...spelledTwice,
      ...Object.fromEntries(
        Object.entries(spelledTwice).map(([key, known]) => [key.replaceAll("_", "-"), known]),
      ),
    }),
  },
});
