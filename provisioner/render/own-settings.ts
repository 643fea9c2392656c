import type { Json } from "#core/canonical-json.ts";
import { fromJson } from "#provisioner/nix-language/from-json.ts";
import { attrs, bind, call, int, type NixExpr, ref } from "#provisioner/nix-language/tree.ts";
import { type Assignment, assign } from "./assignment.ts";
import type { Base } from "./base.ts";
import { isInStore } from "./pins.ts";

/**
 * What the image's owner has settled about firstlight itself: the rendered system takes the place of
 * the image's, so it goes on saying it. Every value gives way, also to a default: to a local.nix, and
 * to an adopted configuration that says it itself.
 */
export function renderOwnSettings(base: Base): readonly Assignment[] {
  const pins = Object.entries(base.pins).filter(([, pin]) => isInStore(pin));
  return [
    ...said("settings", base.settings),
    ...said("pins", Object.fromEntries(pins.map(([name, pin]) => [name, { ...pin }]))),
  ];
}

function said(option: string, value: { readonly [key: string]: Json }): readonly Assignment[] {
  if (Object.keys(value).length === 0) return [];
  return [assign(["services", "firstlight", option], defaults(value))];
}

function defaults(value: Json): NixExpr {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return call(ref("lib", "mkOverride"), int(1200), fromJson(value));
  }
  return attrs(Object.entries(value).map(([key, item]) => bind(key, defaults(item))));
}
