import type { Finding } from "#core/finding.ts";
import { isSecretRef, type SecretBag } from "#core/secret.ts";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import type { SpecDraft } from "./draft.ts";

/** Document of findings about secrets that stand in none. */
export const secretsDocument = "secrets";

/** A spec with the named secrets that it uses, and what is said of the others. */
export interface SettledSecrets {
  readonly spec: Spec;
  /** Names of all secrets that the spec refers to. */
  readonly used: ReadonlySet<string>;
  readonly findings: readonly Finding[];
}

/**
 * Keeps of the secrets that were given by name those that something refers to: under `secrets` of the
 * spec stand all of them, also those `given` beside the document.
 */
export function settleSecrets(draft: SpecDraft, given: SecretBag = new Map()): SettledSecrets {
  const { secrets: own = {}, ...rest } = draft.spec;
  const used = secretNames(rest);
  const names = [...new Set([...Object.keys(own), ...given.keys()])].sort();
  const kept = names.filter((name) => used.has(name));
  const findings = names
    .filter((name) => !used.has(name))
    .map((name) => unused(name, draft, Object.hasOwn(own, name)));
  const secrets = Object.fromEntries(kept.map((name) => [name, { secretRef: name }]));
  return { spec: kept.length === 0 ? rest : { ...rest, secrets }, used, findings };
}

/** One that came beside the document may be meant for another one: a note. */
function unused(name: string, draft: SpecDraft, isOwn: boolean): Finding {
  const origin = isOwn ? draft.originOf(["secrets", name], "key") : undefined;
  return {
    document: origin?.document ?? secretsDocument,
    path: isOwn ? `secrets.${name}` : name,
    line: origin?.line ?? null,
    column: origin?.column ?? null,
    level: isOwn ? "warning" : "note",
    code: "spec/unused-secret",
    message: "nothing refers to this secret, and it is not kept",
    hint: "refer to it as `{ secretRef: NAME }`, or remove it",
  };
}

/** Names of the secrets that a value refers to. */
function secretNames(value: unknown): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (inner: unknown) => {
    if (isSecretRef(inner)) names.add(inner.secretRef);
    else if (typeof inner === "object" && inner !== null) Object.values(inner).forEach(visit);
  };
  visit(value);
  return names;
}
