import { nearest } from "#core/nearest.ts";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { addFinding, type Concern } from "./assignment.ts";
import { nixosGroups, nixosUsers } from "./nixos-accounts.ts";
import { splitOptionName } from "./option-name.ts";

/** An account that something of the spec names. */
export interface NamedAccount {
  readonly kind: "user" | "group";
  readonly name: string;
  /** Path of the spec where it is named. */
  readonly at: readonly string[];
  /** What comes of it where there is no such account. */
  readonly otherwise?: string;
  /** `error` where nothing else could declare it; a warning when absent. */
  readonly level?: "error" | "warning";
}

/** Warns of an account that neither the spec nor NixOS has; the image may have it all the same. */
export function warnOfUndeclared(concern: Concern, account: NamedAccount): void {
  const { kind, name, at, otherwise, level = "warning" } = account;
  const known = declared(concern, kind);
  if (known.includes(name)) return;
  const near = nearest(name, known);
  const message = `no ${kind} of this name is declared here`;
  addFinding(
    concern,
    at,
    level,
    "render/user-unknown",
    otherwise === undefined ? message : `${message}; ${otherwise}`,
    near === undefined
      ? `add it under \`${kind}s\`; one that the image declares is right all the same`
      : `did you mean \`${near}\`?`,
  );
}

function declared({ spec }: Concern, kind: "user" | "group"): readonly string[] {
  const users = Object.entries(spec.users ?? {});
  const names = users.map(([name]) => name);
  const byOptions = accountsOfOptions(spec);
  if (kind === "user") return [...names, ...nixosUsers.keys(), ...byOptions];
  const ofUsers = users.flatMap(([name, { primaryGroup = name, groups = [] }]) => [
    primaryGroup,
    ...groups,
  ]);
  return [...Object.keys(spec.groups ?? {}), ...ofUsers, ...nixosGroups.keys(), ...byOptions];
}

/** Services whose accounts have other names than their options. */
const accountsOfServices: Readonly<Record<string, readonly string[]>> = {
  postgresql: ["postgres"],
  httpd: ["wwwrun"],
};

/** What raw options and templates declare, or may: most services have an account of their own name. */
function accountsOfOptions({ options = {}, templates = [] }: Spec): readonly string[] {
  const named = Object.entries(options).flatMap(([name, value]) => {
    const path = splitOptionName(name) ?? [];
    return namesBelow(path, value).flatMap(([root, key, name]) => {
      if (root === "users") return key === "users" || key === "groups" ? [name ?? ""] : [];
      const isService = ["services", "virtualisation", "programs"].includes(root ?? "");
      return isService && key !== undefined ? [key, ...(accountsOfServices[key] ?? [])] : [];
    });
  });
  const isDockerHost = templates.some(({ name }) => name === "docker-host");
  return [...named, ...(isDockerHost ? ["docker"] : [])];
}

/** The first three names of the options that a value at a path sets. */
function namesBelow(path: readonly string[], value: unknown): readonly (readonly string[])[] {
  if (path.length >= 3 || typeof value !== "object" || value === null) return [path.slice(0, 3)];
  return Object.entries(value).flatMap(([key, inner]) => namesBelow([...path, key], inner));
}
