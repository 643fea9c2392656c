import { shownKey } from "#core/finding.ts";
import { addFinding, type Concern } from "./assignment.ts";
import { isNixosUser, nixosGroups, nixosUsers } from "./nixos-accounts.ts";

type Ids = ReadonlyMap<string, number | null>;

/** Says of ids that two accounts would have, which NixOS refuses to build (`users.enforceIdUniqueness`). */
export function checkIds(concern: Concern): void {
  const { users = {}, groups = {} } = concern.spec;
  const uids = Object.entries(users)
    .filter(([name]) => name !== "root" && !isNixosUser(name))
    .map(([name, { uid }]) => [name, uid] as const);
  const gids = Object.entries(groups).map(([name, { gid }]) => [name, gid] as const);
  checkKind(concern, { part: "users", id: "uid", wished: uids, ofNixos: nixosUsers });
  checkKind(concern, { part: "groups", id: "gid", wished: gids, ofNixos: nixosGroups });
}

interface Kind {
  readonly part: "users" | "groups";
  readonly id: "uid" | "gid";
  readonly wished: readonly (readonly [name: string, id: number | undefined])[];
  readonly ofNixos: Ids;
}

function checkKind(concern: Concern, { part, id, wished, ofNixos }: Kind): void {
  const owners = new Map([...ofNixos].map(([name, number]) => [number, name]));
  for (const [name, number] of wished) {
    if (number === undefined) continue;
    const fixed = ofNixos.get(name);
    const owner = owners.get(number) ?? name;
    owners.set(number, owner);
    const isOther = typeof fixed === "number" && fixed !== number;
    if (owner === name && !isOther) continue;
    const message = isOther
      ? `NixOS gives this one the ${id} ${fixed}`
      : `\`${shownKey(owner)}\` has this ${id} already, and NixOS takes each once`;
    const hint = `leave \`${id}\` out, or choose one that is free; NixOS's own are below 400`;
    addFinding(concern, [part, name, id], "error", "render/id-twice", message, hint);
  }
}
