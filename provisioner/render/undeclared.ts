import { nearest } from "#core/nearest.ts";
import { addFinding, type Concern } from "./assignment.ts";
import { nixosGroups, nixosUsers } from "./nixos-accounts.ts";

/** An account that something of the spec names. */
export interface NamedAccount {
  readonly kind: "user" | "group";
  readonly name: string;
  /** Path of the spec where it is named. */
  readonly at: readonly string[];
  /** What comes of it where there is no such account. */
  readonly otherwise?: string;
}

/** Warns of an account that neither the spec nor NixOS has; the image may have it all the same. */
export function warnOfUndeclared(concern: Concern, account: NamedAccount): void {
  const { kind, name, at, otherwise } = account;
  const known = declared(concern, kind);
  if (known.includes(name)) return;
  const near = nearest(name, known);
  const message = `no ${kind} of this name is declared here`;
  addFinding(
    concern,
    at,
    "warning",
    "render/user-unknown",
    otherwise === undefined ? message : `${message}; ${otherwise}`,
    near === undefined
      ? `add it under \`${kind}s\`; one that the image declares is right all the same`
      : `did you mean \`${near}\`?`,
  );
}

/** Each user has a group of its name. */
function declared({ spec }: Concern, kind: "user" | "group"): readonly string[] {
  const users = Object.keys(spec.users ?? {});
  return kind === "user"
    ? [...users, ...nixosUsers.keys()]
    : [...Object.keys(spec.groups ?? {}), ...users, ...nixosGroups.keys()];
}
