import type { Unit } from "#generated/provisioner/spec/v1.ts";
import { bool, call, int, list, type NixExpr, ref, str } from "#provisioner/nix-language/tree.ts";
import {
  type Assignment,
  addFinding,
  assign,
  type Concern,
  credential,
  loadCredential,
} from "./assignment.ts";
import { credentialLimitBytes, sizeOf } from "./credential-limit.ts";
import { networkSecretDropIns } from "./network-secrets.ts";
import { checkedAll, textRules } from "./text-rules.ts";

/**
 * systemd units as their text, or as lines added to one that exists. Lines are added by a package
 * of units, which NixOS merges with whatever makes the unit itself; text and `enable` of a unit that
 * NixOS makes too win over NixOS's own.
 *
 * Secrets are handed over by added lines, whichever way the unit is made: another value is another file,
 * so that a switch restarts the units that are handed it, and no other.
 */
export function renderUnits(concern: Concern): readonly Assignment[] {
  const units = Object.entries(concern.spec.units ?? {});
  const ofUnits = units.flatMap(([name, unit]) => {
    const text = dropInText(concern, name, unit);
    return text === undefined ? [] : [dropInPackage(name, text)];
  });
  const from = ofUnits.length === 0 ? ["networkSecrets"] : ["units"];
  const dropIns = [...ofUnits, ...networkSecretDropIns(concern)];
  return [
    ...units.flatMap(([name, unit]) => renderUnit(concern, name, unit)),
    ...(dropIns.length === 0 ? [] : [assign(["systemd", "packages"], list(dropIns), from)]),
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

/** The lines that are added to a unit: those of the spec, and those that hand it its secrets. */
function dropInText(concern: Concern, name: string, unit: Unit): string | undefined {
  const handed = handOver(concern, name, unit.credentials ?? []);
  if (unit.dropIn === undefined || handed === "") return unit.dropIn ?? (handed || undefined);
  return `${unit.dropIn.replace(/\n?$/, "\n")}${handed}`;
}

/** Section by the kind of unit whose processes systemd hands credentials. */
const sections: Readonly<Record<string, string>> = {
  service: "Service",
  socket: "Socket",
  mount: "Mount",
};

function handOver(
  concern: Concern,
  name: string,
  references: NonNullable<Unit["credentials"]>,
): string {
  if (references.length === 0) return "";
  const from = ["units", name, "credentials"];
  const section = sections[name.slice(name.lastIndexOf(".") + 1)];
  const files = references.map(({ secretRef }) => credential(concern, secretRef));
  if (section === undefined) {
    const message = "a unit of this kind runs nothing that could read a secret";
    const hint = "give it to the service that it starts";
    addFinding(concern, from, "error", "render/no-credentials", message, hint);
    return "";
  }
  const isOneTooLarge = files.some((file) => sizeOf([file]) > credentialLimitBytes);
  if (!isOneTooLarge && sizeOf(files) > credentialLimitBytes) {
    const message = `these secrets are more than the ${credentialLimitBytes} bytes that systemd hands to one unit`;
    const hint = "let a command fetch what is large, or make several units of it";
    addFinding(concern, from, "error", "render/secret-too-large", message, hint);
  }
  const lines = new Set(
    files.map((file) => {
      const { key, line } = loadCredential(file);
      return `${key}=${line}\n`;
    }),
  );
  return `[${section}]\n${[...lines].join("")}`;
}

function dropInPackage(name: string, text: string): NixExpr {
  const file = `etc/systemd/system/${name}.d/firstlight.conf`;
  return call(ref("pkgs", "writeTextDir"), str(file), str(text));
}

function wins(value: NixExpr): NixExpr {
  return call(ref("lib", "mkOverride"), int(90), value);
}
