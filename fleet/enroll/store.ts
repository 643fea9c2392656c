import type { EnrollRequest } from "#generated/protocol/enroll/request.ts";

/** Which machine it was. */
export type MachineOfNode = Pick<EnrollRequest["machine"], "instanceId" | "hardware" | "bootId">;

/** A node that is, or was, enrolled. Times are milliseconds since 1970. */
export interface NodeRecord {
  readonly name: string;
  /** Key that its newest certificate is for; `null` when it was revoked and may come again. */
  readonly fingerprint: string | null;
  readonly machine: MachineOfNode;
  /** Boots that were seen, the newest last. */
  readonly boots: readonly string[];
  /** By which way it came. */
  readonly way: string;
  readonly enrolledMs: number;
  readonly seenMs: number;
  /** Certificates from before do not count; `null` when none was ever revoked. */
  readonly notBeforeMs: number | null;
  /** Why two machines seem to use it; `null` when nothing says so. */
  readonly contested: string | null;
}

/** Whether a node's newest certificate counts. */
export async function counts(
  store: EnrolStore,
  { fingerprint, notBeforeMs }: NodeRecord,
): Promise<boolean> {
  const known = fingerprint === null ? undefined : await store.key(fingerprint);
  return known !== undefined && known.certificate.issuedMs >= (notBeforeMs ?? 0);
}

/** A certificate that was issued. */
export interface CertificateRecord {
  readonly serial: string;
  readonly node: string;
  readonly fingerprint: string;
  readonly pem: string;
  readonly issuedMs: number;
  readonly notAfterMs: number;
}

/** What the store knows of a key: its node, and the newest certificate for it. */
export interface KnownKey {
  readonly node: NodeRecord;
  readonly certificate: CertificateRecord;
  /** Whether it is the node's newest key. */
  readonly isCurrent: boolean;
  /** The key that it took the place of. */
  readonly previous: string | null;
}

/** A token that may still be used. */
export interface AllowedToken {
  readonly nonce: string;
  readonly node: string;
  readonly expiresMs: number;
}

/** A node that waits for a person, or that one has answered. */
export interface PendingRecord {
  readonly fingerprint: string;
  readonly code: string;
  readonly machine: EnrollRequest["machine"];
  /** Address that it asked from, or its network. */
  readonly peer: string;
  readonly expiresMs: number;
  readonly answer: "none" | "approved" | "denied";
  /** Name that the person gave it. */
  readonly node: string | null;
}

/** A key that becomes a node's. */
export interface Admission {
  readonly certificate: CertificateRecord;
  readonly machine: MachineOfNode;
  readonly way: string;
  readonly once: string;
  /** Must be on the list of tokens, and is taken off it. */
  readonly nonce?: string | undefined;
  /** Whether a node of the same name gives way. */
  readonly replaces: boolean;
}

/** How an admission ended; anything but `admitted` has changed nothing. */
export type AdmissionAnswer =
  | "admitted"
  | "once-used"
  | "node-taken"
  | "token-unknown"
  | "token-used";

/** A key that takes the place of a node's key. */
export interface Renewal {
  readonly certificate: CertificateRecord;
  /** Has to be the node's newest key still. */
  readonly previous: string;
  readonly machine: MachineOfNode;
}

/**
 * What the enrolment server keeps. Each method is one transaction, and what has returned survives a power
 * cut. Throws what its database throws.
 */
export interface EnrolStore {
  /** Mark of the challenges; made with the store. */
  secret(): Promise<Uint8Array>;
  allowToken(token: AllowedToken): Promise<void>;
  key(fingerprint: string): Promise<KnownKey | undefined>;
  node(name: string): Promise<NodeRecord | undefined>;
  nodes(): Promise<readonly NodeRecord[]>;
  /** Makes a key a node's, all or nothing. A repetition by the same key is `once-used`: ask {@link EnrolStore.key} first. */
  admit(admission: Admission): Promise<AdmissionAnswer>;
  /** Whether it was done: not where the node has another key meanwhile. */
  renew(renewal: Renewal): Promise<boolean>;
  /** Remembers that a node was seen, in which boot. */
  see(name: string, machine: MachineOfNode, nowMs: number): Promise<void>;
  contest(name: string, why: string): Promise<void>;
  /**
   * From now on no certificate of the node counts. With `again` its machine may enrol anew by what it was
   * enrolled by. Whether there is such a node.
   */
  revoke(
    name: string,
    options: { readonly nowMs: number; readonly again: boolean },
  ): Promise<boolean>;
  /** Certificates that do not count, and have not expired. */
  revoked(nowMs: number): Promise<readonly (CertificateRecord & { readonly revokedMs: number })[]>;
  /** What waits under a key, else the given one once it is written; `undefined` when too many wait. */
  wait(pending: PendingRecord, limits: WaitLimits): Promise<PendingRecord | undefined>;
  pending(nowMs: number): Promise<readonly PendingRecord[]>;
  /** What waited under the code, answered; `undefined` when nothing does. */
  answer(code: string, answer: PendingAnswer): Promise<PendingRecord | undefined>;
  close(): void;
}

/** How many may wait at once. */
export interface WaitLimits {
  readonly nowMs: number;
  readonly most: number;
  readonly mostOfPeer: number;
}

/** What a person says. */
export interface PendingAnswer {
  readonly answer: "approved" | "denied";
  readonly node: string | null;
  readonly nowMs: number;
}
