import { Secret, type SecretRef } from "#core/secret.ts";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import type { Input, PathPart } from "./input.ts";
import type { Origin } from "./translation.ts";

/** A spec being written, with the secrets beside it and the place each value came from. */
export class SpecDraft {
  readonly spec: Spec = { version: 1 };
  readonly secrets = new Map<string, Secret<Uint8Array>>();
  readonly origins = new Map<string, Origin>();

  /** Notes where the value at a path of the spec came from. */
  origin(path: readonly PathPart[], input: Input): void {
    this.origins.set(path.join("."), input.origin());
  }

  /** Takes a secret out of the document; the name is made unique and fit for a file. */
  secret(wantedName: string, value: string | Uint8Array): SecretRef {
    const base =
      wantedName
        .replace(/[^A-Za-z0-9_.-]+/g, "-")
        .replace(/^[^A-Za-z0-9]+/, "")
        .slice(0, 150) || "secret";
    let name = base;
    for (let next = 2; this.secrets.has(name); next++) name = `${base}-${next}`;
    this.secrets.set(
      name,
      new Secret(typeof value === "string" ? Buffer.from(value, "utf8") : value),
    );
    return { secretRef: name };
  }
}
