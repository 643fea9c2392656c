import type { Secret, SecretBag, SecretRef } from "#core/secret.ts";
import type { DatasourceContent } from "./datasource.ts";

/** Names in the bag of secrets that a datasource brings for the spec to refer to. */
const bagPrefix = "secret.";

/** The parts of a content that change where secrets come with it, by the names that the spec uses. */
export function addSecrets(
  { instance, secrets }: Pick<DatasourceContent, "instance" | "secrets">,
  given: ReadonlyMap<string, Secret<Uint8Array>>,
): Pick<DatasourceContent, "instance" | "secrets"> {
  if (given.size === 0) return { instance, secrets };
  const names = [...given.keys()].sort();
  const references = names.map((name): [string, SecretRef] => [
    name,
    { secretRef: `${bagPrefix}${name}` },
  ]);
  const bag = [...given].map(([name, secret]) => [`${bagPrefix}${name}`, secret] as const);
  return {
    instance: { ...instance, secrets: Object.fromEntries(references) },
    secrets: new Map([...secrets, ...bag]),
  };
}

/** The secrets that a datasource brings, by the names that the spec uses. */
export function givenSecrets({
  instance,
  secrets,
}: Pick<DatasourceContent, "instance" | "secrets">): SecretBag {
  const given = Object.entries(instance.secrets ?? {}).flatMap(([name, { secretRef }]) => {
    const secret = secrets.get(secretRef);
    return secret === undefined ? [] : [[name, secret] as const];
  });
  return new Map(given);
}
