import { canonicalJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type { Settings } from "#generated/agent/settings.ts";
import { examine } from "#protocol/trust/examine.ts";
import type { Offer } from "#protocol/trust/offer.ts";
import { readNodeAddress } from "../report-settings.ts";
import type { Assigned } from "./assignment.ts";
import { isClockTrusted } from "./timing.ts";
import { trustedStore } from "./trusted-store.ts";

/**
 * Looks at an assignment again, as it lies on the disk, by what is believed now: that its signatures say
 * what it says, and say it still. Throws `trust/…`; changes nothing.
 */
export async function verifyAssigned(
  { assignment, envelope, documents }: Assigned,
  { io, settings }: { readonly io: Io; readonly settings: Settings },
): Promise<void> {
  const node = readNodeAddress(io.files, settings);
  if (node === undefined) throw new Fault("trust/not-enrolled", "this node has no name yet");
  const { trusted } = trustedStore(io, settings.fleet?.root).read();
  const offer: Offer = { ...(envelope as Offer), documents };
  const clockTrusted = await isClockTrusted(io);
  const found = examine(trusted, offer, { nowMs: io.clock.now(), clockTrusted, node });
  if (found.fault !== undefined) throw found.fault;
  if (found.complete && canonicalJson(found.assignment) === canonicalJson(assignment)) return;
  throw new Fault("trust/mismatch", "what is assigned is not what its signatures say");
}
