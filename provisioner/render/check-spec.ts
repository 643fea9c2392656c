import { isSecretRef } from "#core/secret.ts";
import { unprintableReason } from "#provisioner/nix-language/text.ts";
import { addFinding, type Concern, isFreeData } from "./assignment.ts";
import type { CredentialFile } from "./base.ts";
import { credentialLimitBytes, sizeOf } from "./credential-limit.ts";

/**
 * Says of every text of the spec that no Nix string can hold it, and of every reference that no
 * secret of this name is in the store. All of them are errors.
 */
export function checkSpec(concern: Concern): void {
  for (const [key, value] of Object.entries(concern.spec)) check(concern, value, [key]);
}

function check(concern: Concern, value: unknown, path: readonly string[]): void {
  if (isFreeData(path)) return;
  if (typeof value === "string") return checkText(concern, value, path);
  if (typeof value !== "object" || value === null) return;
  if (isSecretRef(value)) return checkReference(concern, value.secretRef, path);
  for (const [key, item] of Object.entries(value)) {
    if (!Array.isArray(value)) checkText(concern, key, [...path, key]);
    check(concern, item, [...path, key]);
  }
}

function checkText(concern: Concern, text: string, path: readonly string[]): void {
  const reason = unprintableReason(text);
  if (reason === undefined) return;
  const message = `expected text that Nix can hold, got ${reason}`;
  const hint =
    path[0] === "files"
      ? "give it as `secret`: a credential holds any bytes"
      : "remove it, or write another character";
  addFinding(concern, path, "error", "nix/unprintable", message, hint);
}

function checkReference(concern: Concern, name: string, path: readonly string[]): void {
  const known = concern.credentials.get(name);
  if (known !== undefined) return checkSize(concern, known, path);
  addFinding(
    concern,
    path,
    "error",
    "render/secret-unknown",
    `there is no secret \`${name}\` on this machine`,
    "write the secret itself in its place: firstlight keeps it out of everything else",
  );
}

function checkSize(concern: Concern, file: CredentialFile, path: readonly string[]): void {
  const most = credentialLimitBytes - file.name.length;
  if (sizeOf([file]) <= credentialLimitBytes) return;
  const message = `expected a secret of at most ${most} bytes, got ${file.bytes}: systemd hands over no more`;
  const hint = "let a command fetch it, or make several files of it";
  addFinding(concern, path, "error", "render/secret-too-large", message, hint);
}
