import type { EnrollRequest } from "#generated/protocol/enroll/request.ts";

/** What a claim is weighed against, beside the claim itself. */
export interface ClaimContext {
  readonly machine: EnrollRequest["machine"];
  readonly challenge: string;
  readonly nowMs: number;
}

/** What a claim proves. */
export interface Proved {
  readonly way: EnrollRequest["claim"]["kind"];
  /** Counts for one key only, ever: `ec2:i-0abc`, `token:NONCE`. */
  readonly once: string;
  /** Name that the node gets. */
  readonly node: string;
  /** Whether it may take the place of a node of this name: a person has said so. */
  readonly replaces: boolean;
  /** Has to be on the list of tokens that may still be used. */
  readonly nonce?: string;
}
