import type { Json } from "#core/canonical-json.ts";
import { fromJson } from "#provisioner/nix-language/from-json.ts";
import { attrs, bind, call, type NixExpr, ref } from "#provisioner/nix-language/tree.ts";
import { type Assignment, assign } from "./assignment.ts";
import type { Base } from "./base.ts";
import { isInStore } from "./pins.ts";

/**
 * What the image's owner has settled about firstlight itself: the rendered system takes the place of
 * the image's, so it goes on saying it. Every value is a default that a local.nix may change. An
 * adopted configuration says it itself.
 */
export function renderOwnSettings(base: Base): readonly Assignment[] {
  if (base.kind === "adopted") return [];
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
    return call(ref("lib", "mkDefault"), fromJson(value));
  }
  return attrs(Object.entries(value).map(([key, item]) => bind(key, defaults(item))));
}
