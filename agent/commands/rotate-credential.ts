import { Fault } from "#core/fault.ts";
import type { Executor } from "./executor.ts";

/** Has the node's key and certificate made anew; a renewal that was begun is gone on with. */
export const rotateCredential: Executor = {
  isQuick: false,
  knows: [],
  async prepare(_command, { credential }) {
    const fingerprint = credential();
    if (fingerprint !== undefined) return { fingerprint };
    throw new Fault("command/not-enrolled", "the node has no certificate of the fleet's to renew");
  },
  async carryOut({ note }, { credential, renew }) {
    const now = credential();
    if (now !== undefined && now !== note["fingerprint"]) return { fingerprint: now };
    const { fingerprint, untilMs } = await renew();
    return { fingerprint, until: new Date(untilMs).toISOString() };
  },
};
