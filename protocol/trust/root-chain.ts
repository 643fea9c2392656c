import { Fault } from "#core/fault.ts";
import type { RootMetadata } from "#generated/protocol/trust/root.ts";
import { trustLimits } from "./limits.ts";
import { asRoot, type Metadata } from "./metadata.ts";
import { isVouchedFor, type RootRole, requireThreshold, signersOf } from "./threshold.ts";
import { raiseFloor, type TimeContext } from "./time.ts";
import type { TrustedState } from "./trusted.ts";

/**
 * The states that a chain of root metadata leads through, link by link; each is good by itself, also
 * where a later link is not. Links that are known already are passed over. Throws `trust/limit`,
 * `trust/no-root` where a link is missing, and as {@link nextRoot}.
 */
export function* followRoots(
  trusted: TrustedState,
  chain: readonly unknown[],
  context: TimeContext,
): Generator<TrustedState> {
  if (chain.length > trustLimits.rootChain) {
    throw new Fault(
      "trust/limit",
      `a chain of ${chain.length} roots where at most ${trustLimits.rootChain} are taken at once`,
    );
  }
  let state = trusted;
  for (const link of chain) {
    const root = asRoot(link);
    const known = state.root.signed.version;
    if (root.signed.version <= known) continue;
    if (root.signed.version > known + 1) {
      throw new Fault(
        "trust/no-root",
        `root ${known + 1} is missing: ${known} is known, and ${root.signed.version} came`,
      );
    }
    state = nextRoot(state, root, context);
    yield state;
  }
}

/** TUF 1.0, sections 5.3.4 to 5.3.11: signed by the keys of both, one version up. */
function nextRoot(trusted: TrustedState, root: RootMetadata, context: TimeContext): TrustedState {
  requireThreshold(root, signersOf(trusted.root, "root"));
  requireThreshold(root, signersOf(root, "root"));
  return raiseFloor(forget({ ...trusted, root }), root.signed.issued, context);
}

/**
 * What the new keys do not vouch for is forgotten with its versions, so that who stole a key cannot
 * leave a version behind that nothing comes up to (fast-forward attack). What they do vouch for stays,
 * so that nothing older is taken in its place. With the targets goes what hangs on them: whose keys
 * the director has, and which versions a snapshot gave to both.
 */
function forget(trusted: TrustedState): TrustedState {
  const { root, timestamp, snapshot, targets, director, delegated, timeFloor } = trusted;
  const isKept = (metadata: Metadata | undefined, role: RootRole) =>
    metadata === undefined || isVouchedFor(metadata, signersOf(root, role));
  const keepsTimestamp = isKept(timestamp, "timestamp");
  const keepsTargets = isKept(targets, "targets");
  const keepsSnapshot = keepsTargets && isKept(snapshot, "snapshot");
  return {
    v: 1,
    root,
    ...(keepsTimestamp && timestamp !== undefined ? { timestamp } : {}),
    ...(keepsSnapshot && snapshot !== undefined ? { snapshot } : {}),
    ...(keepsTargets && targets !== undefined ? { targets } : {}),
    ...(keepsTargets && director !== undefined ? { director } : {}),
    delegated: keepsTargets ? delegated : {},
    timeFloor: keepsTimestamp ? timeFloor : null,
  };
}
