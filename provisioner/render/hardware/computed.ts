import { call, int, type NixExpr, ref } from "#provisioner/nix-language/tree.ts";

/**
 * A value that was worked out from this very machine: it goes before the defaults of profiles and of
 * nixos-hardware, which speak of its like, and gives way to what its owner says (docs/decisions/0004-base.md).
 */
export function computed(value: NixExpr): NixExpr {
  return call(ref("lib", "mkOverride"), int(900), value);
}
