import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Test } from "tap";
import { sha256 } from "#core/canonical-json.ts";
import type { Files } from "#core/io.ts";
import type { ClosureManifest } from "#generated/provisioner/system/fetch/manifest.ts";
import type { Sources } from "#provisioner/render/sources.ts";
import { type SystemClient, systemClient } from "#provisioner/system/client.ts";
import { openDriver } from "#provisioner/system/driver.ts";
import { type FakeCache, fakeCache } from "#provisioner/system/fetch/fake-cache.ts";
import { makeKeys } from "#provisioner/system/fetch/fake-closure.ts";
import type { FetchSettings } from "#provisioner/system/fetch/fetch-settings.ts";
import { hostCourier } from "#provisioner/system/fetch/host-courier.ts";
import { makeManifest } from "#provisioner/system/fetch/make-manifest.ts";
import { signManifest } from "#provisioner/system/fetch/sign-manifest.ts";
import type { Processes } from "#provisioner/system/lock.ts";
import type { ChangeReason, SystemEvent, Verdict } from "#provisioner/system/system.ts";
import { type NixMachine, nixMachine } from "./nix-machine.ts";
import { withSpace } from "./with-space.ts";

export const reason: ChangeReason = { by: "apply", why: "a test", instanceId: "i-1" };
export const healthy: Verdict = { healthy: true, reasons: ["all passed"], passes: 3, ms: 1 };
/** The fleet's key, and another one of the same name. */
export const [ours, stranger] = [makeKeys("fleet-1"), makeKeys("fleet-1")];

/** A system that can be activated. */
export const instance = `{ pkgs, ... }:
{
  networking.hostName = "edge";
  boot.isContainer = true;
  environment.etc."motd".text = "fetched";
  system.stateVersion = "25.11";
}
`;
export const sources: Sources = {
  digest: sha256(instance),
  files: [{ path: "configuration.nix", content: instance, mode: 0o644 }],
  credentials: [],
  nixpkgs: null,
};

/** Six small paths, each of which refers to the one before: quick to build and to fetch. */
const chain = `
let
  link = n: before: derivation {
    name = "link-\${toString n}";
    system = builtins.currentSystem;
    builder = "/bin/sh";
    args = [ "-c" "echo \${toString n} \${before} > $out" ];
  };
in link 6 (link 5 (link 4 (link 3 (link 2 (link 1 "first")))))
`;

/** Something that was built elsewhere, pushed to a cache, and signed. */
export interface Pushed {
  readonly directory: string;
  readonly manifest: ClosureManifest;
  readonly signed: string;
  /** Key of the cache itself. */
  readonly cacheKey: string;
}

type Ends = { teardown(end: () => void): unknown };

/** Builds the system on a machine and pushes it to a cache in a directory. */
export async function pushSystem(machine: NixMachine, directory: string): Promise<Pushed> {
  return push(machine, directory, await machine.build(instance));
}

/** The same of the chain, on a machine of its own. */
export async function pushChain(t: Ends): Promise<Pushed> {
  const machine = await nixMachine(t);
  const built = await must(machine, ["nix-build", "--no-out-link", "-E", chain]);
  return push(machine, directory(t), built.trim());
}

async function push(machine: NixMachine, directory: string, toplevel: string): Promise<Pushed> {
  const [secret, open] = [path.join(directory, "secret"), path.join(directory, "public")];
  await must(machine, ["nix-store", "--generate-binary-cache-key", "cache-1", secret, open]);
  const cache = `file://${directory}?secret-key=${secret}`;
  await must(machine, ["nix", "copy", "--to", cache, toplevel]);
  const io = machine.io();
  const { signal } = new AbortController();
  const inputDigest = sources.digest;
  const request = { toplevel, inputDigest, signal };
  const manifest = await makeManifest(io, hostCourier(io.files), request);
  const signed = signManifest(manifest, [ours.secret]);
  return { directory, manifest, signed, cacheKey: readFileSync(open, "utf8").trim() };
}

/** Runs a program on a machine; throws when it fails. */
export async function must(
  machine: NixMachine,
  argv: readonly [string, ...string[]],
): Promise<string> {
  const { code, stdout, stderr } = await machine.run(argv);
  if (code !== 0) throw new Error(`${argv.join(" ")}: ${code}\n${stderr}`);
  return stdout;
}

/** A directory of this host that is removed with the test. */
export function directory(t: Ends): string {
  const made = mkdtempSync(path.join(tmpdir(), "fetch-"));
  t.teardown(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** Serves the files below a directory. */
export function serve(t: Test, directory: string): Promise<FakeCache> {
  return fakeCache(t, (name) => {
    const file = path.join(directory, name);
    return existsSync(file) ? readFileSync(file) : undefined;
  });
}

/** What a test may say of firstlight's settings, and see of its work. */
export interface StartOptions extends Partial<FetchSettings> {
  readonly onEvent?: (event: SystemEvent) => void;
  readonly onEffect?: (number: number, name: string) => void;
  /** So much room there and no more. */
  readonly room?: { readonly place: string; readonly availableBytes: number };
}

let starts = 0;

/** firstlight on the machine, as a process of its own would open it; the one before is dead then. */
export function start(
  machine: NixMachine,
  { onEvent, onEffect, room, ...settings }: StartOptions,
): SystemClient {
  const inRoom = (files: Files) =>
    room === undefined ? files : withSpace(files, room.place, room.availableBytes);
  const storeFiles = inRoom(machine.storeFiles);
  const fetch = { trustedKeys: [ours.publicKey], minimumRate: 1_000, windowMs: 4_000, ...settings };
  const host = machine.io(onEffect === undefined ? {} : { onEffect });
  const io = { ...host, files: inRoom(host.files) };
  starts += 1;
  const pid = starts;
  const processes: Processes = {
    self: () => ({ pid, started: "1" }),
    isAlive: (process) => process.pid === starts,
  };
  const system = openDriver(io, { driver: "nix", storeFiles, processes, fetch });
  return systemClient(system, onEvent === undefined ? {} : { onEvent });
}

/** Whether a path is in the store. */
export async function isValid(machine: NixMachine, store: string): Promise<boolean> {
  return (await machine.run(["nix-store", "--check-validity", store])).code === 0;
}

/** Requests for archives that a cache got. */
export function archives(cache: FakeCache): readonly string[] {
  return cache.requests.filter((line) => line.includes("nar/"));
}
