import { Fault } from "#core/fault.ts";
import type { RootMetadata } from "#generated/protocol/trust/root.ts";
import { validate as validateRoot } from "#generated/protocol/trust/root.validate.js";
import type { SnapshotMetadata } from "#generated/protocol/trust/snapshot.ts";
import { validate as validateSnapshot } from "#generated/protocol/trust/snapshot.validate.js";
import type { TargetsMetadata } from "#generated/protocol/trust/targets.ts";
import { validate as validateTargets } from "#generated/protocol/trust/targets.validate.js";
import type { TimestampMetadata } from "#generated/protocol/trust/timestamp.ts";
import { validate as validateTimestamp } from "#generated/protocol/trust/timestamp.validate.js";

/** What all signed metadata has in common. */
export interface Metadata {
  readonly signed: {
    readonly version: number;
    readonly expires: string;
  };
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
}

/** A validator module as `npm run generate` makes it. */
interface Validator<T> {
  (value: unknown): value is T;
  errors?: readonly { readonly instancePath: string; readonly message?: string }[] | null;
}

/** Root metadata by its form; nothing of it is believed yet. Throws `trust/malformed`. */
export function asRoot(value: unknown): RootMetadata {
  return checked(validateRoot, value, "root");
}

/** As {@link asRoot}. */
export function asTimestamp(value: unknown): TimestampMetadata {
  return checked(validateTimestamp, value, "timestamp");
}

/** As {@link asRoot}. */
export function asSnapshot(value: unknown): SnapshotMetadata {
  return checked(validateSnapshot, value, "snapshot");
}

/** As {@link asRoot}; `role` names it in the message. */
export function asTargets(value: unknown, role: string): TargetsMetadata {
  return checked(validateTargets, value, role);
}

/** A value that fits its schema and whose times are times. Throws `trust/malformed`. */
export function checked<T>(validate: Validator<T>, value: unknown, what: string): T {
  if (!validate(value)) {
    const faults = (validate.errors ?? [])
      .slice(0, 3)
      .map(({ instancePath, message }) => `${instancePath || "/"} ${message ?? ""}`.trim());
    throw new Fault("trust/malformed", `${what}: ${faults.join("; ").slice(0, 512)}`);
  }
  const { signed } = value as { readonly signed?: Readonly<Record<string, unknown>> };
  for (const key of ["expires", "issued"]) {
    const time = signed?.[key];
    if (typeof time === "string") timeOf(time, `${what}: ${key}`);
  }
  return value;
}

/** Milliseconds since 1970 of a time of metadata. Throws `trust/malformed` when there is no such day. */
export function timeOf(text: string, what: string): number {
  const ms = Date.parse(text);
  const isReal = !Number.isNaN(ms) && timeText(ms) === text;
  if (isReal) return ms;
  throw new Fault("trust/malformed", `${what}: there is no such time as ${text}`);
}

/** A time as TUF writes it: in UTC, to the second. */
export function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
