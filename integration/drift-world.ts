import { chmodSync, writeFileSync } from "node:fs";
import { prettyJson, sha256 } from "#core/canonical-json.ts";
import { digestFiles, type Sources } from "#provisioner/render/sources.ts";
import { type SystemClient, systemClient } from "#provisioner/system/client.ts";
import type { DriftReport } from "#provisioner/system/drift/report.ts";
import { openDriver } from "#provisioner/system/driver.ts";
import type { FetchSettings } from "#provisioner/system/fetch/fetch-settings.ts";
import { healthy, must, reason } from "./fetch-world.ts";
import { type NixMachine, nixMachine } from "./nix-machine.ts";

/** Every path of the systems of a machine is read. */
export const whole = { deep: false, share: 1 };

/** Sources as they are rendered: a manifest with the digest of each file, a name made of them all. */
export function sources(motd: string): Sources {
  const instance = `{ ... }:
{
  networking.hostName = "edge";
  boot.isContainer = true;
  environment.etc."motd".text = ${JSON.stringify(motd)};
  environment.etc."edge/key" = { text = "k"; mode = "0600"; };
  system.stateVersion = "25.11";
}
`;
  const files = {
    "configuration.nix": "{ imports = [ ./firstlight/instance.nix ]; }\n",
    "firstlight/instance.nix": instance,
  };
  const digests = Object.entries(files).map(([name, text]) => [name, sha256(text)]);
  const manifest = prettyJson({ v: 1, files: Object.fromEntries(digests) });
  const all = Object.entries({ ...files, "firstlight/manifest.json": manifest })
    .map(([name, content]) => ({ path: name, content, mode: 0o644 }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  return { digest: digestFiles(all), files: all, credentials: [], nixpkgs: null };
}

/** What a test may say of firstlight's settings. */
export interface DriftOptions {
  readonly substituters?: readonly string[];
  readonly fetch?: Partial<FetchSettings>;
}

/** firstlight on the machine, as a process of its own would open it. */
export function start(machine: NixMachine, options: DriftOptions = {}): SystemClient {
  const { storeFiles } = machine;
  const io = machine.io();
  return systemClient(openDriver(io, { driver: "nix", storeFiles, ...options }));
}

/** Builds, tries and commits; the system. */
export async function apply(c: SystemClient, what: Sources): Promise<string> {
  const plan = await c.plan(await c.build(what, reason));
  return (await c.commit(await c.try(plan), healthy)).toplevel;
}

/** The store path of the system's motd, and where it lies on this host. */
export async function motdOf(machine: NixMachine, toplevel: string) {
  const closure = (await must(machine, ["nix-store", "-qR", toplevel])).split("\n");
  const store = closure.find((line) => line.endsWith("-etc-motd")) ?? "";
  return { store, file: machine.storeFiles.hostPath(store) };
}

/** Writes into a store path behind Nix's back. */
export function damage(file: string): void {
  chmodSync(file, 0o644);
  writeFileSync(file, "something else");
  chmodSync(file, 0o444);
}

/** What was found, by its kinds. */
export function kinds({ items }: DriftReport): readonly string[] {
  return items.map(({ kind }) => kind);
}

/** Gives a machine that has committed a system and is all that it should be: the same one each time. */
export function driftMachine(t: { teardown(end: () => void): unknown }) {
  const ready = async () => {
    // What was built keeps what it was built from no longer than the tests want it to.
    const machine = await nixMachine(t, { nixConfig: ["keep-derivations = false"] });
    const toplevel = await apply(start(machine), sources("one"));
    return { machine, toplevel, snapshot: machine.snapshot() };
  };
  let made: ReturnType<typeof ready> | undefined;
  return async (options: DriftOptions = {}) => {
    made ??= ready();
    const { machine, toplevel, snapshot } = await made;
    machine.restore(snapshot);
    return { machine, toplevel, c: start(machine, options) };
  };
}
