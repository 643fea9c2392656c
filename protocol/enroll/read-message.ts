import { Fault } from "#core/fault.ts";

/** A validator made from a schema. */
interface Validator {
  (value: unknown): boolean;
  readonly errors?: readonly { readonly instancePath: string; readonly message?: string }[] | null;
}

/**
 * A message of the enrolment protocol from its text, once the validator has seen it; `what` names it.
 * Throws `enroll/malformed`, which names the place and never what stands there.
 */
export function readMessage<T>(text: string, validate: Validator, what: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Fault("enroll/malformed", `${what}: expected JSON`);
  }
  if (validate(value)) return value as T;
  const [first] = validate.errors ?? [];
  const place = first?.instancePath === "" ? "" : `${first?.instancePath}: `;
  throw new Fault("enroll/malformed", `${what}: ${place}${first?.message ?? "does not fit"}`);
}
