import { Fault } from "#core/fault.ts";
import { Secret, type SecretBag } from "#core/secret.ts";
import { secretName } from "#provisioner/userdata/draft.ts";
import { type Flags, textFlag } from "./command.ts";

/** Flag of commands that look at documents away from their node. */
export const secretsOption = { secrets: { type: "string" } } as const;

/** Of a command's help. */
export const secretsHelp =
  "--secrets names, with commas, what the node is given beside the documents (a credential, a stick).";

/** Secrets that a node would be given, by their names alone. Throws `cli/usage`. */
export function namedSecrets(flags: Flags): SecretBag {
  const names = textFlag(flags, "secrets")?.split(",") ?? [];
  const wrong = names.find((name) => !secretName.test(name));
  if (wrong !== undefined)
    throw new Fault("cli/usage", `--secrets: ${JSON.stringify(wrong)} is no name of a secret`);
  return new Map(names.map((name) => [name, new Secret<Uint8Array>(new Uint8Array())]));
}
