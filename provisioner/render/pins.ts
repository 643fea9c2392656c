import { prettyJson } from "#core/canonical-json.ts";
import { bool, call, list, type NixExpr, ref, str } from "#provisioner/nix-language/tree.ts";
import { type Assignment, assign, winning } from "./assignment.ts";
import type { Base, Pin } from "./base.ts";
import type { SourceFile } from "./sources.ts";

const storePath = /^\/nix\/store\/[0-9a-df-np-sv-z]{32}-[A-Za-z0-9+._?=-]+$/;

/** Whether a pin lies in the store, as `builtins.storePath` wants it. */
export function isInStore(pin: Pin): boolean {
  return storePath.test(pin.storePath);
}

/** The pins as a file beside the configuration. */
export function pinsFile(base: Base): SourceFile {
  return { path: "firstlight/pins.json", content: prettyJson(base.pins), mode: 0o644 };
}

/**
 * `nix.nixPath` names the pinned nixpkgs, so that a person's `nixos-rebuild switch` evaluates the
 * same; the generation refers to every pin, so that none is collected while it is needed.
 */
export function renderPins(base: Base): readonly Assignment[] {
  const pins = Object.entries(base.pins);
  const nixpkgs = base.pins.nixpkgs;
  const agent = base.pins.firstlight;
  return [
    ...(nixpkgs === undefined
      ? []
      : [
          assign(
            ["nix", "nixPath"],
            winning(
              base,
              list([
                str(`nixpkgs=${nixpkgs.storePath}`),
                str("nixos-config=/etc/nixos/configuration.nix"),
              ]),
            ),
          ),
        ]),
    ...pins
      .filter(([, pin]) => isInStore(pin))
      .map(([name, pin]) =>
        assign(["environment", "etc", `firstlight/pins/${name}`, "source"], fromStore(pin)),
      ),
    assign(["services", "firstlight", "enable"], bool(true)),
    ...(agent === undefined || !isInStore(agent)
      ? []
      : [assign(["services", "firstlight", "package"], winning(base, fromStore(agent)))]),
  ];
}

function fromStore(pin: Pin): NixExpr {
  return call(ref("builtins", "storePath"), str(pin.storePath));
}
