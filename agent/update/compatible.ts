import { Fault } from "#core/fault.ts";
import type { Assignment } from "#protocol/trust/assignment.ts";
import type { HeldRelease } from "#provisioner/system/system.ts";
import type { LedgerRecord } from "./ledger.ts";

/** What a node is, as a release may demand it. */
export interface NodeKind {
  /** Version of this firstlight. */
  readonly agent: string;
  /** As Nix writes it: `x86_64-linux`. */
  readonly platform: string;
  /** Id of the hardware profile; `null` where none fits. */
  readonly profile: string | null;
}

/** Throws `update/incompatible` where a release is not for this node. */
export function checkCompatible({ release }: Pick<Assignment, "release">, node: NodeKind): void {
  const { path, minimumAgent, platforms, hardware } = release;
  const refuse = (what: string) => new Fault("update/incompatible", `${path}: ${what}`);
  if (minimumAgent !== undefined && isOlder(node.agent, minimumAgent))
    throw refuse(`expected firstlight ${minimumAgent} or newer, and this is ${node.agent}`);
  if (platforms !== undefined && !platforms.includes(node.platform))
    throw refuse(`it is for ${platforms.join(", ")}, and this is ${node.platform}`);
  if (hardware === undefined || (node.profile !== null && hardware.includes(node.profile))) return;
  throw refuse(
    `it is for ${hardware.join(", ")}, and this is ${node.profile ?? "none that is known"}`,
  );
}

/** Whether a version is older than another; numbers are compared as numbers, a pre-release comes before its release. */
export function isOlder(version: string, than: string): boolean {
  const [a, b] = [parse(version), parse(than)];
  for (let at = 0; at < Math.max(a.numbers.length, b.numbers.length); at++) {
    const difference = (a.numbers[at] ?? 0) - (b.numbers[at] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  if (a.pre === b.pre) return false;
  if (a.pre === "" || b.pre === "") return b.pre === "";
  return a.pre.localeCompare(b.pre, "en", { numeric: true }) < 0;
}

function parse(version: string): { readonly numbers: readonly number[]; readonly pre: string } {
  const [core = "", ...pre] = (version.split("+")[0] ?? "").split("-");
  return {
    numbers: core.split(".").map((part) => Number.parseInt(part, 10) || 0),
    pre: pre.join("-"),
  };
}

/**
 * Throws `update/release-denied` for a release that this machine has taken back, as long as the journal
 * holds it back; the transactions in the ledger say which one that was. So long is one held back as well
 * that was committed, and whose first boot did not come up: the journal blames nobody for that, and the fleet
 * would have the machine restart into it again and again.
 */
export function checkDenied(
  { release }: Pick<Assignment, "release">,
  {
    records,
    denied,
    nowMs,
    denyMs,
  }: {
    readonly records: readonly LedgerRecord[];
    readonly denied: readonly HeldRelease[];
    readonly nowMs: number;
    readonly denyMs: number;
  },
): void {
  const left = records.findLast(
    ({ event, at, update }) =>
      event === "boot-failed" &&
      update.release?.sha256 === release.sha256 &&
      Math.abs(nowMs - Date.parse(at)) < denyMs,
  );
  if (left !== undefined)
    throw new Fault(
      "update/release-denied",
      `${release.path} was left at ${left.at} (${left.update.reason}); it is not tried again before ${new Date(Date.parse(left.at) + denyMs).toISOString()}`,
    );
  const tried = new Set(
    records
      .filter(
        ({ update }) => update.release?.sha256 === release.sha256 && update.transaction !== null,
      )
      .map(({ update }) => update.transaction),
  );
  const held = denied.find(({ transaction }) => tried.has(transaction));
  if (held === undefined) return;
  const { transaction, reasons, until } = held;
  throw new Fault(
    "update/release-denied",
    `${release.path} was taken back in ${transaction} (${reasons.join("; ")}); it is not tried again before ${until}`,
  );
}
