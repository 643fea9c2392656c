import { Fault } from "#core/fault.ts";
import type { EnrollRequest } from "#generated/protocol/enroll/request.ts";
import { nodeNamePattern } from "#protocol/enroll/limits.ts";
import type { PendingRecord } from "./store.ts";
import { proveByAzure } from "./ways/azure.ts";
import { proveByEc2 } from "./ways/ec2.ts";
import { proveByGce } from "./ways/gce.ts";
import { proveByToken } from "./ways/token.ts";
import type { ClaimContext, Proved } from "./ways/way.ts";
import type { Ways } from "./ways/ways.ts";

/** What a claim is weighed against. */
export interface ProveContext extends ClaimContext {
  /** With a code: what a person has said. */
  readonly pending: PendingRecord | undefined;
}

/** What a first claim proves. Throws why it proves nothing. */
export async function proveClaim(
  claim: EnrollRequest["claim"],
  context: ProveContext,
  { ways, fleet }: { readonly ways: Ways; readonly fleet: string },
): Promise<Proved> {
  switch (claim.kind) {
    case "token":
      return proveByToken(claim.token, context, { ...open("token", ways.token), fleet });
    case "ec2":
      return proveByEc2(claim.document, context, open("ec2", ways.ec2));
    case "gce":
      return proveByGce(claim.token, context, open("gce", ways.gce));
    case "azure":
      return proveByAzure(claim.document, context, open("azure", ways.azure));
    case "code":
      open("code", ways.code);
      return proveByPerson(context.pending);
    case "key":
      throw new Fault("enroll/key-unknown", "the key from before has no certificate here");
  }
}

function open<T>(name: string, policy: T | undefined): T {
  if (policy !== undefined) return policy;
  throw new Fault("enroll/way-closed", `this server takes no claim by ${name}`);
}

function proveByPerson(pending: PendingRecord | undefined): Proved {
  if (pending?.answer !== "approved" || pending.node === null)
    throw new Fault("enroll/denied", "a person has denied it");
  const { node, fingerprint } = pending;
  return { way: "code", once: `code:${fingerprint}`, node, replaces: false };
}

/** Name for a node that a person approves, where they give none: its instance-id, or its host name. */
export function suggestedName({ machine }: Pick<PendingRecord, "machine">): string | undefined {
  const { instanceId, hostname } = machine;
  return [instanceId, hostname].find(
    (name): name is string => typeof name === "string" && nodeNamePattern.test(name),
  );
}
