import { inspect } from "node:util";
import { Fault } from "./fault.ts";

/**
 * A value that cannot be printed, serialised or logged by accident: as text it is `[secret]`, as
 * JSON it throws `secret/serialised`. Only {@link Secret.reveal} gives it back, and every call of
 * that is a place to review.
 */
export class Secret<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  /** The value itself. */
  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): never {
    throw new Fault("secret/serialised", "a secret was about to be written as JSON");
  }

  [inspect.custom](): string {
    return "[secret]";
  }
}

/** Stands in documents where a secret was: the value lies beside it, under this name. */
export interface SecretRef {
  readonly secretRef: string;
}

/** Secrets by name, as they travel from a parser to the credential store; never serialised. */
export type SecretBag = ReadonlyMap<string, Secret<Uint8Array>>;

/** Whether `value` is a reference to a secret. */
export function isSecretRef(value: unknown): value is SecretRef {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as SecretRef).secretRef === "string"
  );
}
