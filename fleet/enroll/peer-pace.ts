/** How fast one address may ask. */
export interface Pace {
  /** Whether it may ask now; counts it. */
  allows(peer: string, nowMs: number): boolean;
}

const burst = 60;
const perSecond = 2;
/** Addresses that are remembered; whoever has not asked for longest is forgotten first. */
const mostPeers = 10_000;

/** A bucket for each address; for IPv6 for each network of 64 bits, which is what one customer has. */
export function peerPace(): Pace {
  const buckets = new Map<string, { left: number; atMs: number }>();
  return {
    allows(peer, nowMs) {
      const who = networkOf(peer);
      const { left, atMs } = buckets.get(who) ?? { left: burst, atMs: nowMs };
      const filled = Math.min(burst, left + (Math.max(0, nowMs - atMs) / 1000) * perSecond);
      const isAllowed = filled >= 1;
      buckets.delete(who);
      buckets.set(who, { left: isAllowed ? filled - 1 : filled, atMs: nowMs });
      const [oldest] = buckets.keys();
      if (buckets.size > mostPeers && oldest !== undefined) buckets.delete(oldest);
      return isAllowed;
    },
  };
}

/** An address of IPv4, or the first 64 bits of one of IPv6. */
export function networkOf(peer: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(peer)?.[1];
  if (mapped !== undefined || !peer.includes(":")) return mapped ?? peer;
  const [head = "", tail] = peer.split("::");
  const left = head.split(":");
  const missing = tail === undefined ? 0 : 8 - left.length - tail.split(":").length;
  const groups = [...left, ...Array(Math.max(0, missing)).fill("0"), ...(tail?.split(":") ?? [])];
  return groups.slice(0, 4).join(":");
}
