import type { Unit } from "#generated/provisioner/spec/v1.ts";
import { bool, call, int, list, type NixExpr, ref, str } from "#provisioner/nix-language/tree.ts";
import { type Assignment, assign, type Concern } from "./assignment.ts";
import { checkedAll, textRules } from "./text-rules.ts";

/**
 * systemd units as their text, or as lines added to one that exists. Lines are added by a package
 * of units, which NixOS merges with whatever makes the unit itself; text and `enable` of a unit that
 * NixOS makes too win over NixOS's own.
 */
export function renderUnits(concern: Concern): readonly Assignment[] {
  const units = Object.entries(concern.spec.units ?? {});
  const dropIns = units.flatMap(([name, { dropIn }]) =>
    dropIn === undefined ? [] : [dropInPackage(name, dropIn)],
  );
  return [
    ...units.flatMap(([name, unit]) => renderUnit(concern, name, unit)),
    ...(dropIns.length === 0 ? [] : [assign(["systemd", "packages"], list(dropIns), ["units"])]),
  ];
}

function renderUnit(concern: Concern, name: string, unit: Unit): readonly Assignment[] {
  const from = ["units", name];
  const set = (key: string, value: NixExpr) =>
    assign(["systemd", "units", name, key], value, [...from, key]);
  const wantedBy = checkedAll(concern, [...from, "wantedBy"], unit.wantedBy, textRules.unit);
  return [
    ...(unit.enable === undefined ? [] : [set("enable", wins(bool(unit.enable)))]),
    ...(unit.text === undefined ? [] : [set("text", wins(str(unit.text)))]),
    ...(wantedBy.length === 0 ? [] : [set("wantedBy", list(wantedBy.map(str)))]),
  ];
}

function dropInPackage(name: string, text: string): NixExpr {
  const file = `etc/systemd/system/${name}.d/firstlight.conf`;
  return call(ref("pkgs", "writeTextDir"), str(file), str(text));
}

function wins(value: NixExpr): NixExpr {
  return call(ref("lib", "mkOverride"), int(90), value);
}
