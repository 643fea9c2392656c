import { fromJson, type PlainData } from "#provisioner/nix-language/from-json.ts";
import { attrs, bind, call, list, type NixExpr, ref, str } from "#provisioner/nix-language/tree.ts";
import { type Assignment, addFinding, assign, attempt, type Concern } from "./assignment.ts";
import { warnOfSecrets } from "./readable-secrets.ts";

/** home-manager's part: its module, and what each user asks of it. */
export interface RenderedHome {
  readonly imports: readonly NixExpr[];
  readonly assignments: readonly Assignment[];
}

const nothing: RenderedHome = { imports: [], assignments: [] };

/** Options of home-manager, where it is pinned. */
export function renderHome(concern: Concern): RenderedHome {
  const users = Object.entries(concern.spec.home ?? {});
  if (users.length === 0) return nothing;
  const pin = concern.base.pins["home-manager"];
  if (pin === undefined) {
    addFinding(
      concern,
      ["home"],
      "error",
      "render/pin-missing",
      "home-manager is not pinned on this machine",
      "pin it in the image (`services.firstlight.pins.home-manager`), or remove `home`",
    );
    return nothing;
  }
  const version = call(ref("lib", "mkDefault"), str(concern.base.stateVersion));
  const assignments = users.flatMap(([name, options]) => {
    const from = ["home", name];
    warnOfSecrets(concern, from, name, options);
    const value = attempt(concern, from, () => fromJson(options as PlainData));
    if (value === undefined) return [];
    // Required by home-manager; a default, because the user's own data may say it.
    const release = attrs([bind(["home", "stateVersion"], version)]);
    const merged = call(ref("lib", "mkMerge"), list([release, value]));
    return [assign(["home-manager", "users", name], merged, from)];
  });
  return { imports: [str(`${pin.storePath}/nixos`)], assignments };
}
