import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { hostClock, hostIo } from "#core/host-io.ts";
import { runProcess } from "#core/run-process.ts";
import type { Sources } from "#provisioner/render/sources.ts";
import { systemClient } from "#provisioner/system/client.ts";
import { type KeyPair, makeKeys } from "#provisioner/system/fetch/fake-closure.ts";
import { hostCourier } from "#provisioner/system/fetch/host-courier.ts";
import { makeManifest } from "#provisioner/system/fetch/make-manifest.ts";
import { signManifest } from "#provisioner/system/fetch/sign-manifest.ts";
import { systemOverSocket } from "#provisioner/system/sides/connect.ts";
import { operatorSocket } from "#provisioner/system/sides/places.ts";
import type { ChangeReason, SystemEvent, Verdict } from "#provisioner/system/system.ts";

const reason: ChangeReason = { by: "apply", why: "a test", instanceId: null };
const verdict: Verdict = { healthy: true, reasons: ["well"], passes: 1, ms: 1 };

/** What came of a system that is fetched through the root side. */
export interface FetchedInside {
  readonly untrusted: unknown;
  readonly committed: unknown;
  /** Whether it is in the store. */
  readonly isThere: boolean;
  /** Users whose processes asked the cache. */
  readonly users: readonly number[];
  readonly requests: number;
  readonly events: readonly string[];
  readonly drift: unknown;
}

/**
 * Builds a system, pushes it to a cache, forgets it, and has the root side fetch, try and commit it, and
 * look for drift.
 */
export async function fetchInside(
  sources: Sources,
  attempt: (work: () => Promise<unknown>) => Promise<unknown>,
): Promise<FetchedInside> {
  const keys = makeKeys("fleet-1");
  const { toplevel, signed, stranger, directory } = await pushAndForget(sources, keys);
  const cache = await serve(directory);
  settle({ fetch: { caches: [cache.url], trustedKeys: [keys.publicKey] } });
  const events: SystemEvent[] = [];
  const system = systemOverSocket({ path: operatorSocket, clock: hostClock });
  const c = systemClient(system, { onEvent: (event) => events.push(event) });
  const untrusted = await attempt(() => c.fetch(stranger, sources, reason));
  const committed = await attempt(async () =>
    c.commit(await c.try(await c.plan(await c.fetch(signed, sources, reason))), verdict),
  );
  const drift = await attempt(() => c.drift({ deep: true, share: 1 }));
  system.close();
  cache.close();
  const { users, requests } = cache;
  return {
    ...{ untrusted, committed, drift, requests: requests(), users: [...users] },
    isThere: existsSync(toplevel),
    events: [...new Set(events.map(({ type }) => type))].sort(),
  };
}

async function pushAndForget(sources: Sources, keys: KeyPair) {
  const system = systemOverSocket({ path: operatorSocket, clock: hostClock });
  const c = systemClient(system);
  const { toplevel } = await c.build(sources, reason);
  const directory = "/var/cache-1";
  await must("nix", "copy", "--to", `file://${directory}`, toplevel);
  const io = hostIo({ root: "/" });
  const { signal } = new AbortController();
  const request = { toplevel, inputDigest: sources.digest, signal };
  const manifest = await makeManifest(io, hostCourier(io.files), request);
  await c.recover(); // which abandons what was only built
  system.close();
  await must("nix-store", "--delete", toplevel);
  const other = makeKeys("fleet-1");
  return {
    ...{ toplevel, directory },
    signed: signManifest(manifest, [keys.secret]),
    stranger: signManifest(manifest, [other.secret]),
  };
}

/** The files of a directory; who asked is looked up where the kernel lists its connections. */
async function serve(directory: string) {
  const users = new Set<number>();
  let requests = 0;
  const server = createServer(({ url, socket }, response) => {
    requests += 1;
    users.add(userOf(socket.remotePort ?? 0));
    const file = path.join(directory, url ?? "");
    if (existsSync(file)) response.end(readFileSync(file));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url, users, requests: () => requests, close };
}

/** Whose socket has this local port (proc_pid_net(5)). */
function userOf(port: number): number {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const lines = readFileSync("/proc/net/tcp", "utf8").split("\n");
  const fields = lines.map((line) => line.trim().split(/\s+/));
  return Number(fields.find(([, local]) => local?.endsWith(wanted))?.[7] ?? Number.NaN);
}

function settle(settings: object): void {
  mkdirSync("/etc/firstlight", { recursive: true });
  writeFileSync("/etc/firstlight/settings.json", JSON.stringify(settings));
}

async function must(file: string, ...args: readonly string[]): Promise<void> {
  const { code, stderr } = await runProcess({ file, args, timeoutMs: 60_000 }, process.env);
  if (code !== 0) throw new Error(`${file} ${args.join(" ")}: ${code}: ${stderr}`);
}
