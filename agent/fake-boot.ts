import { fakeIo } from "#core/fake-io.ts";
import { silentLog } from "#core/log.ts";
import { Secret } from "#core/secret.ts";
import type { NewEvent } from "#protocol/events.ts";
import { genericFacts } from "#provisioner/facts/generic-facts.ts";
import { holdToOptions } from "#provisioner/nixos-options/rendered.ts";
import { profileSet } from "#provisioner/profiles/profile.ts";
import type { Base } from "#provisioner/render/base.ts";
import type { Sources } from "#provisioner/render/sources.ts";
import type { SystemClient } from "#provisioner/system/client.ts";
import type { Collected } from "#provisioner/system/collect.ts";
import type { Closure, Plan, Recovery, SourcesPreview, Trial } from "#provisioner/system/system.ts";
import { type BootStart, boot as begin } from "./boot.ts";
import type { DatasourceContent } from "./datasources/datasource.ts";
import { type BootDeps, makeSystem } from "./make-system.ts";
import type { Outcome } from "./outcome.ts";
import { openCredentialStore } from "./secrets/credential-store.ts";
import { envelopeOpener } from "./secrets/envelope-opener.ts";

export const base: Base = {
  kind: "platform",
  settings: {},
  files: [],
  platform: null,
  pins: { firstlight: { storePath: "/nix/store/fl", narHash: null, revision: null } },
  stateVersion: "25.11",
  mutableUsers: true,
  local: null,
  agentModule: [],
};

/** What a datasource gives with this user-data. */
export function content(userData: string): DatasourceContent {
  return {
    findings: [],
    secrets: new Map([["user-data", new Secret<Uint8Array>(Buffer.from(userData))]]),
    instance: {
      v: 1,
      datasource: {
        name: "NoCloud",
        place: "seed",
        identity: "seed:/x",
        removable: false,
        evidence: [],
      },
      instanceId: "i-1",
      hostname: "node",
      publicKeys: [],
      metaData: {},
      userData: { secretRef: "user-data" },
      vendorData: null,
      networkConfig: null,
    },
  };
}

/** The answer of a system that does not run what is asked for. */
export const notRunning = {
  ...{ runs: false, planDigest: null },
  ...{ generation: null, toplevel: null, sourcesDigest: null, chosen: null, incomplete: null },
  ...{ restart: false, bootProved: null, lastTrial: null, retries: false, overruled: false },
};

/** The answer of a system that nothing was open on. */
export const clean: Recovery = {
  ...{ state: "clean", transaction: null, details: [], fault: null },
  ...{ trial: null, back: null, unproved: null },
};

/**
 * A system that says what it was asked, and answers as a machine that does all of it. What it is asked
 * to build it holds against the options of NixOS, and throws where one of them is none.
 */
export function fakeSystem(asked: string[], answers: Partial<SystemClient> = {}): SystemClient {
  const toplevel = "/nix/store/new";
  const closure = { transaction: "t1", toplevel } as Closure;
  const trial = { transaction: "t1", toplevel, activation: "switched", message: null } as Trial;
  const all: SystemClient = {
    recover: async () => clean,
    status: async () => {
      throw new Error("a boot asks for no status");
    },
    runs: async () => notRunning,
    build: async () => closure,
    fetch: async () => closure,
    preview: async () => ({ files: [] }) as unknown as SourcesPreview,
    plan: async () => ({ digest: "d", closure }) as Plan,
    try: async () => trial,
    commit: async () => ({ generation: 1, toplevel, sourcesDigest: "s", incomplete: null }),
    rollBack: async () => ({
      generation: 7,
      toplevel: "/nix/store/old",
      sourcesDigest: null,
      reasons: [],
      restart: false,
    }),
    restart: async () => ({ how: "reboot" }),
    conclude: async () => null,
    prove: async () => null,
    retry: async () => ({ at: null }),
    planGeneration: async () => ({ plan: { digest: "d", closure } as Plan, judging: null }),
    drift: async () => Promise.reject(new Error("not asked for")),
    repair: async () => Promise.reject(new Error("not asked for")),
    history: async () => ({ generations: [], trials: [], boot: null, denied: [] }),
    pin: async () => ({ changed: true }),
    collect: async () => ({ generations: [] }) as unknown as Collected,
    ...answers,
  };
  const told = Object.entries(all).map(([name, answer]) => [
    name,
    (...args: readonly unknown[]) => {
      if (args[0] !== "") asked.push(name); // what runs, for an end that does not say it
      if (name === "build") holdToOptions((args[0] as Sources).files);
      return (answer as (...all: readonly unknown[]) => unknown)(...args);
    },
  ]);
  return Object.fromEntries(told) as SystemClient;
}

export const cloudConfig =
  "#cloud-config\nhostname: a\nfirstlight: { health: { passes: 1, interval: 1s, timeout: 1s, checks: [{ type: file, path: /ready }] } }\n";

/** What begins a boot, and all that the long way needs. */
export type FullDeps = BootDeps & Pick<BootStart, "log" | "report" | "version">;

/** A boot that remembers nothing of the one before. */
export function boot(deps: FullDeps): Promise<Outcome> {
  return begin({
    ...deps,
    recallUnchanged: async () => undefined,
    makeSystem: (way, recovery) => makeSystem(deps, way, recovery),
  });
}

/** Everything a boot needs, on a machine that does all that it is asked. */
export function prepare(
  t: { testdir(): string },
  change: Partial<FullDeps> = {},
  answers: Partial<SystemClient> = {},
) {
  const io = fakeIo(t.testdir());
  const asked: string[] = [];
  const events: NewEvent[] = [];
  const deps: FullDeps = {
    io,
    log: silentLog,
    settings: {},
    system: fakeSystem(asked, answers),
    discover: async () => content(cloudConfig),
    fetchSources: async () => new Map(),
    openEnvelope: envelopeOpener(io),
    readFacts: () => genericFacts("x86_64"),
    profiles: profileSet([]),
    templates: new Map(),
    parameterCheck: async () => () => [],
    decideBase: () => base,
    proposeBase: () => {},
    recordBase: () => {},
    openCredentials: () => openCredentialStore(io),
    probe: async () => ({ passed: true, message: "" }),
    enrolled: false,
    report: (event) => void events.push(event),
    version: "0",
    approved: false,
    by: "boot",
    ...change,
  };
  return { io, asked, events, deps };
}
