import type { Settings } from "#generated/agent/settings.ts";
import type { Signature } from "#provisioner/userdata/signed/open-signed.ts";
import type { Instance, SignedRelease } from "./datasources/datasource.ts";
import type { Answer, PinnedInstance, Unsigned } from "./pinned-instance.ts";
import { whyNotVouched, whyTooOld } from "./vouching.ts";

/** What changed against the pinned instance. */
export type Change =
  | "first-boot"
  | "nothing"
  | "user-data"
  | "instance-id"
  | "removable-media"
  | "datasource";

/** The policy's word on a change. */
export interface Decision {
  readonly change: Change;
  readonly answer: Answer;
  /** For a person: `the instance-id changed from i-1 to i-2`. */
  readonly why: string;
}

/** What a decision is made from; plain values. */
export interface PolicyInput {
  readonly pinned: PinnedInstance | undefined;
  readonly instance: Instance;
  readonly inputsDigest: string;
  readonly settings: Settings;
  /** Whether the node belongs to a fleet whose signatures it can check. */
  readonly enrolled: boolean;
  /** Of the user-data, where one counts. */
  readonly signature: Signature | undefined;
  /** What nobody signed. */
  readonly unsigned: Unsigned;
  /** The release of the fleet in place of the user-data, where there is one. */
  readonly release?: SignedRelease | undefined;
  /** Digest of what the datasource says beside the user-data. */
  readonly beside?: string;
}

/**
 * Who may change a node. The first boot takes the datasource it finds; afterwards the datasource
 * is pinned, and each kind of change has its answer: the settings', else the first document's (for
 * changes from the pinned place), else `require-signature` on an enrolled node, else `apply` for
 * the pinned place and `hold` for any other. Of removable media in the pinned place the settings'
 * stricter word on changes and on removable media holds. User-data that is signed has the signature that
 * is required, where it vouches for all that changes; signed user-data that is older than what the node
 * was made from has it never.
 */
export function decide(input: PolicyInput): Decision {
  const { pinned, instance } = input;
  if (pinned === undefined) {
    return { change: "first-boot", answer: "apply", why: `first boot of ${instance.instanceId}` };
  }
  const samePlace =
    pinned.datasource === instance.datasource.name &&
    pinned.identity === instance.datasource.identity;
  if (
    samePlace &&
    pinned.instanceId === instance.instanceId &&
    pinned.inputsDigest === input.inputsDigest
  ) {
    return { change: "nothing", answer: "apply", why: `${instance.instanceId}: nothing changed` };
  }
  const { change, why } = describeChange(pinned, instance, samePlace);
  if (change === "user-data" && input.release !== undefined) {
    const said = whyOfRelease(pinned, input.release, input.beside);
    if (said.isOfFleet) return { change, why: said.why, answer: "apply" };
    return { change, why: `${why}; ${said.why}`, answer: answerTo(change, input) };
  }
  const { instanceId } = instance;
  const vouching = { pinned, instanceId, signature: input.signature, unsigned: input.unsigned };
  const tooOld = whyTooOld(vouching);
  if (tooOld !== undefined)
    return { change, why: `${why}; ${tooOld}`, answer: "require-signature" };
  const answer = answerTo(change, input);
  if (answer !== "require-signature") return { change, why, answer };
  const doubt = whyNotVouched(vouching);
  if (doubt !== undefined) return { change, why: `${why}; ${doubt}`, answer };
  return { change, why: `${why}; signed by ${input.signature?.signer}`, answer: "apply" };
}

/**
 * Whether a change is the fleet's own: another release, with all else as it was. It is signed, so that
 * no policy on what a cloud says is asked; nothing else may come with it.
 */
function whyOfRelease(
  pinned: PinnedInstance,
  { name, sha256 }: SignedRelease,
  beside: string | undefined,
): { readonly isOfFleet: boolean; readonly why: string } {
  const isOther = pinned.release?.sha256 !== sha256;
  if (isOther && (pinned.beside === undefined || pinned.beside === beside))
    return { isOfFleet: true, why: `the release ${name}, signed by the fleet` };
  const why = isOther
    ? `the release ${name} is signed by the fleet, and something beside it has changed`
    : `the node is made from the release ${name}, and something beside it has changed`;
  return { isOfFleet: false, why };
}

function describeChange(
  pinned: PinnedInstance,
  instance: Instance,
  samePlace: boolean,
): { readonly change: Change; readonly why: string } {
  if (!samePlace) {
    const here = `${instance.datasource.name} (${instance.datasource.identity})`;
    const why = `the datasource changed from ${pinned.datasource} (${pinned.identity}) to ${here}`;
    return { change: instance.datasource.removable ? "removable-media" : "datasource", why };
  }
  if (pinned.instanceId !== instance.instanceId) {
    const why = `the instance-id changed from ${pinned.instanceId} to ${instance.instanceId}`;
    return { change: "instance-id", why };
  }
  return { change: "user-data", why: `what ${instance.datasource.name} says has changed` };
}

/** Whether a datasource that is not the pinned one may change a node without anybody's word. */
export function mayReplace(
  { removable }: Pick<Instance["datasource"], "removable">,
  by: Pick<PolicyInput, "settings" | "enrolled">,
): boolean {
  return answerToOther(removable ? "removable-media" : "datasource", by) === "apply";
}

function answerToOther(
  change: "removable-media" | "datasource",
  { settings: { policy }, enrolled }: Pick<PolicyInput, "settings" | "enrolled">,
): Answer {
  const said = change === "datasource" ? policy?.otherDatasource : policy?.removableMedia;
  return said ?? stricter("hold", enrolled);
}

function answerTo(change: Change, input: PolicyInput): Answer {
  const { pinned, instance, settings, enrolled } = input;
  const policy = settings.policy ?? {};
  switch (change) {
    case "first-boot":
    case "nothing":
      return "apply";
    case "user-data":
    case "instance-id": {
      const answer = policy.changes ?? stricter(pinned?.changes ?? "apply", enrolled);
      // Another stick or disc in the same slot looks like the one that was pinned.
      return instance.datasource.removable
        ? strictest(answer, policy.removableMedia ?? answer)
        : answer;
    }
    case "removable-media":
    case "datasource":
      return answerToOther(change, input);
  }
}

const byStrictness: readonly Answer[] = ["apply", "hold", "require-signature"];

function strictest(a: Answer, b: Answer): Answer {
  return byStrictness.indexOf(a) > byStrictness.indexOf(b) ? a : b;
}

function stricter(answer: Answer, enrolled: boolean): Answer {
  return enrolled ? "require-signature" : answer;
}
