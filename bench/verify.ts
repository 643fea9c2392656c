import { canonicalJson } from "#core/canonical-json.ts";
import { examine } from "#protocol/trust/examine.ts";
import { fakeFleet } from "#protocol/trust/fake-fleet.ts";
import { readOffer } from "#protocol/trust/read-offer.ts";
import { message } from "#protocol/trust/sign/message.ts";
import { readTrusted, trustedFromRoot } from "#protocol/trust/trusted.ts";
import { median } from "./measure.ts";

/** What it costs to verify one update, from the bytes of its message and of what is believed. */
export interface Verification {
  /** Of the message. */
  readonly bytes: number;
  /** CPU milliseconds: the middle, and of the first, before anything was compiled. */
  readonly medianMs: number;
  readonly firstMs: number;
}

/** Verifies one usual update after another: five roles, seven signatures, a release and a built system. */
export function measureVerification(rounds: number): Verification {
  const fleet = fakeFleet();
  const closure = {
    inputDigest: "a".repeat(64),
    toplevel: "/nix/store/8w2jyl6q6v3bwyg0rx1gd1b1jv5q8yqv-nixos-system-edge-17",
    manifest: "{}",
  };
  const publish = () => fleet.publish({ closures: [closure] });
  const stored = canonicalJson(trustedFromRoot(fleet.firstRoot));
  const messages = Array.from({ length: rounds + 1 }, () => message(publish()));
  const times = messages.map((bytes) => {
    const before = process.cpuUsage();
    const found = examine(readTrusted(JSON.parse(stored)), readOffer(bytes), fleet.context());
    const { user, system } = process.cpuUsage(before);
    if (found.assignment === null) throw found.fault ?? new Error("nothing was assigned");
    return (user + system) / 1000;
  });
  const [firstMs = Number.NaN, ...later] = times;
  return { bytes: messages[0]?.length ?? 0, medianMs: median(later), firstMs };
}
