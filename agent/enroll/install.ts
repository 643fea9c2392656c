import type { KeyObject } from "node:crypto";
import { prettyJson } from "#core/canonical-json.ts";
import type { Files, Io } from "#core/io.ts";
import { enrolmentStatusFile, identityFile } from "./places.ts";

/** Puts certificate and key where the link reads them, both at once; nothing where they lie there. */
export function installIdentity(io: Io, certificate: string, key: KeyObject): void {
  const pem = key.export({ type: "pkcs8", format: "pem" }) as string;
  const text = `${certificate.trimEnd()}\n${pem}`;
  if (io.files.readText(identityFile) === text) return;
  io.files.makeDirectory("/run/firstlight/enroll", { mode: 0o700 });
  io.files.write(identityFile, text, { mode: 0o400 });
}

/** Takes away what the link reads. */
export function removeIdentity(io: Io): void {
  io.files.remove(identityFile, { overwrite: true });
}

/** What everybody on the machine may know of its enrolment. */
export interface EnrolmentStatus {
  readonly v: 1;
  readonly state: "enrolled" | "pending" | "refused" | "asking";
  readonly node: string | null;
  readonly fleet: string | null;
  /** End of the certificate and the time of its renewal, RFC 3339. */
  readonly until: string | null;
  readonly renews: string | null;
  /** What a person approves, while that is waited for. */
  readonly code: string | null;
  /** Why it is refused. */
  readonly refused: { readonly code: string; readonly message: string } | null;
}

/** Says how far it is, where that is news. */
export function tellEnrolment(io: Io, status: EnrolmentStatus): void {
  const text = prettyJson(status);
  if (io.files.readText(enrolmentStatusFile) === text) return;
  io.files.write(enrolmentStatusFile, text, { mode: 0o644 });
}

/** What was told last; `undefined` before that, and where it cannot be read. */
export function readEnrolment(files: Files): EnrolmentStatus | undefined {
  try {
    const text = files.readText(enrolmentStatusFile, { maxBytes: 64 * 1024 });
    const status = JSON.parse(text ?? "null") as EnrolmentStatus | null;
    return status?.v === 1 ? status : undefined;
  } catch {
    return undefined;
  }
}
