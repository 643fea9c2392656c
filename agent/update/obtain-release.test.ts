import t, { type Test } from "tap";
import { canonicalJson, sha256 } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import { hostIo } from "#core/host-io.ts";
import { silentLog } from "#core/log.ts";
import type { Settings } from "#generated/agent/settings.ts";
import type { Sources } from "#provisioner/render/sources.ts";
import { hostCourier } from "#provisioner/system/fetch/host-courier.ts";
import type { ChangeReason, Closure, SourcesPreview } from "#provisioner/system/system.ts";
import { releaseObtainer, type SignedClosures } from "./obtain-release.ts";

const digest = "ab".repeat(32);
const sources: Sources = { digest, files: [], credentials: [], nixpkgs: null };
const reason: ChangeReason = { by: "update", why: "a test", instanceId: null };
const toplevel = "/nix/store/x-nixos-system";
const manifest = { version: 1, toplevel, inputDigest: digest, paths: [] };
const text = JSON.stringify({ signatures: [], manifest });
const canonical = canonicalJson(manifest);
const signed = {
  ...{ inputDigest: digest, toplevel, by: "builder-x86" },
  ...{ length: canonical.length, sha256: sha256(canonical) },
};
const own = { toplevel, inputDigest: digest, manifestDigest: signed.sha256 };
const stick = ["file:///m"];

interface Case extends Partial<SignedClosures> {
  readonly fetch?: Settings["fetch"];
  /** What lies on the stick. */
  readonly found?: string;
}

/** What is asked of the system for a release with these closures. */
async function asked(t: Test, { fetch, found = text, ...more }: Case): Promise<readonly string[]> {
  const calls: string[] = [];
  const place = { [`${digest}.json`]: found }; // a mirror, and one of fetch.manifests
  const io = hostIo({ root: t.testdir({ m: { closure: place, ...place } }) });
  const obtain = releaseObtainer(
    {
      ...{ io, courier: hostCourier(io.files), log: silentLog, signed: undefined },
      settings: fetch === undefined ? {} : { fetch },
      signal: new AbortController().signal,
      system: {
        build: async () => {
          calls.push("build");
          return {} as Closure;
        },
        fetch: async (given) => {
          calls.push(given === found ? "fetch" : "fetch of another");
          return {} as Closure;
        },
        preview: async () => ({}) as SourcesPreview,
      },
    },
    { closures: [], own: undefined, mirrors: [], ...more },
  );
  await obtain(sources, reason);
  return calls;
}

const code = (name: string) => (error: unknown) => error instanceof Fault && error.code === name;

t.test(
  "what the builders signed for these sources is fetched by exactly that manifest",
  async (t) => {
    t.same(await asked(t, { closures: [signed], mirrors: stick }), ["fetch"]);
    t.same(await asked(t, { closures: [signed], fetch: { manifests: stick } }), ["fetch"]);
    t.same(await asked(t, { closures: [signed], own, mirrors: stick }), ["fetch"]);
    const other = { ...signed, inputDigest: "cd".repeat(32) };
    t.same(await asked(t, { closures: [other], mirrors: stick }), ["build"], "not for these");
  },
);

t.test(
  "a place that has another manifest than the one that was signed is not believed",
  async (t) => {
    const others = [
      JSON.stringify({ manifest: { ...manifest, toplevel: "/nix/store/y" } }),
      JSON.stringify({ manifest: { ...manifest, paths: [{}] } }),
      JSON.stringify({ manifest: null }),
      "{",
    ];
    for (const found of others)
      await t.rejects(
        asked(t, { closures: [signed], mirrors: stick, found }).catch((error) => {
          t.ok(code("update/closure-mismatch")(error), found);
          throw error;
        }),
      );
  },
);

t.test("where no place has it a node builds, unless the release names its system", async (t) => {
  t.same(await asked(t, { closures: [signed] }), ["build"]);
  const only = { mode: "only" as const, manifests: ["file:///none"] };
  await t.rejects(asked(t, { closures: [signed], fetch: only }), {
    code: "system/closure-not-found",
  });
  await t.rejects(asked(t, { closures: [signed], own }), { code: "system/closure-not-found" });
});

t.test("a release that names its system is taken by no other", async (t) => {
  const differs = { code: "update/closure-differs" };
  const mirrors = stick;
  await t.rejects(asked(t, { own, mirrors }), differs, "no builder has signed it");
  const elsewhere = { ...own, inputDigest: "cd".repeat(32) };
  await t.rejects(asked(t, { own: elsewhere, closures: [signed], mirrors }), {
    ...differs,
    message: /built from cdcd.*, and this node renders abab/,
  });
  const another = { ...own, manifestDigest: "0".repeat(64) };
  await t.rejects(asked(t, { own: another, closures: [signed], mirrors }), differs);
});
