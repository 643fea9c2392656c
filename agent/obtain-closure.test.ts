import t, { type Test } from "tap";
import { Fault } from "#core/fault.ts";
import { hostIo } from "#core/host-io.ts";
import { silentLog } from "#core/log.ts";
import type { Settings } from "#generated/agent/settings.ts";
import type { Sources } from "#provisioner/render/sources.ts";
import { fakeCache } from "#provisioner/system/fetch/fake-cache.ts";
import { hostCourier } from "#provisioner/system/fetch/host-courier.ts";
import type { ChangeReason, Closure, SourcesPreview } from "#provisioner/system/system.ts";
import { closureObtainer, closurePreviewer, type ObtainOptions } from "./obtain-closure.ts";

const digest = "ab".repeat(32);
const sources: Sources = { digest, files: [], credentials: [], nixpkgs: null };
const reason: ChangeReason = { by: "boot", why: "a test", instanceId: null };
const closure = { transaction: "t1" } as Closure;

interface Setting {
  readonly fetch?: Settings["fetch"];
  readonly signed?: string;
  /** Of a fetch. */
  readonly fault?: Fault;
  /** Of a build. */
  readonly lack?: Fault;
}

/** What is asked of the system for these settings: `build`, or `fetch` and what manifest. */
async function asked(t: Test, setting: Setting, preview = false): Promise<readonly string[]> {
  const { fetch, signed, fault, lack } = setting;
  const calls: string[] = [];
  const io = hostIo({ root: t.testdir({ m: { [`${digest}.json`]: "on a stick" } }) });
  const options: ObtainOptions = {
    io,
    courier: hostCourier(io.files),
    log: silentLog,
    settings: fetch === undefined ? {} : { fetch },
    signed,
    signal: new AbortController().signal,
    system: {
      build: async (given) => {
        calls.push(`build ${given.digest.slice(0, 4)}`);
        if (lack !== undefined) throw lack;
        return closure;
      },
      fetch: async (text, given, { notBuilt }) => {
        const why = notBuilt === undefined ? "" : ` because ${notBuilt}`;
        calls.push(`fetch ${text} ${given?.digest.slice(0, 4)}${why}`);
        if (fault !== undefined) throw fault;
        return closure;
      },
      preview: async (_, text) => {
        calls.push(`preview ${text}`);
        return { notBuilt: lack?.message ?? null } as SourcesPreview;
      },
    },
  };
  if (preview) await closurePreviewer(options)(sources);
  else t.equal(await closureObtainer(options)(sources, reason), closure);
  return calls;
}

t.test("without a place for manifests a system is built", async (t) => {
  t.same(await asked(t, {}), ["build abab"]);
  t.same(await asked(t, { fetch: { caches: ["https://192.0.2.1"] } }), ["build abab"]);
});

t.test("a system that a place has a manifest of is fetched", async (t) => {
  const other = await fakeCache(t, () => undefined);
  const server = await fakeCache(t, (path) =>
    path === `manifests/${digest}.json` ? Buffer.from("from the fleet") : undefined,
  );
  const manifests = ["file:///none", other.url, `${server.url}manifests`];
  t.same(await asked(t, { fetch: { manifests } }), ["fetch from the fleet abab"]);
  t.same(await asked(t, { fetch: { manifests: ["file:///m", ...manifests] } }), [
    "fetch on a stick abab",
  ]);
});

t.test("where no place has it, or none can be asked, it is built", async (t) => {
  const ill = await fakeCache(t, () => undefined);
  ill.fault = () => ({ is: "status", status: 500 });
  const manifests = ["file:///none", ill.url];
  t.same(await asked(t, { fetch: { manifests } }), ["build abab"]);
  await t.rejects(asked(t, { fetch: { manifests, mode: "only" } }), {
    code: "system/closure-not-found",
  });
  await t.rejects(asked(t, { fetch: { mode: "only" } }), { code: "system/closure-not-found" });
});

t.test("a system that cannot be fetched is built, unless it must not be", async (t) => {
  const manifests = ["file:///m"];
  const calls = ["fetch on a stick abab", "build abab"];
  for (const code of ["system/fetch-failed", "system/closure-untrusted"] as const) {
    const fault = new Fault(code, "no");
    t.same(await asked(t, { fetch: { manifests }, fault }), calls);
    await t.rejects(asked(t, { fetch: { manifests, mode: "only" }, fault }), { code });
  }
  const full = new Fault("system/disk-full", "no");
  await t.rejects(asked(t, { fetch: { manifests }, fault: full }), { code: "system/disk-full" });
});

t.test("the manifest that a person names is the only one", async (t) => {
  const setting = { fetch: { manifests: ["file:///m"] }, signed: "named" };
  t.same(await asked(t, setting), ["fetch named abab"]);
  const fault = new Fault("system/fetch-failed", "no");
  await t.rejects(asked(t, { ...setting, fault }), { code: "system/fetch-failed" });
});

t.test("with `when-needed`, what fits is built and nobody is asked", async (t) => {
  const fetch: Settings["fetch"] = { mode: "when-needed", manifests: ["file:///m"] };
  t.same(await asked(t, { fetch }), ["build abab"]);
  t.same(await asked(t, { fetch }, true), ["preview undefined"]);
  const other = new Fault("system/build-failed", "a builder said no");
  await t.rejects(asked(t, { fetch, lack: other }), { code: "system/build-failed" });
  const boot = new Fault("system/not-enough-boot-space", "/boot: 40 MiB are needed");
  await t.rejects(asked(t, { fetch, lack: boot }), { code: "system/not-enough-boot-space" });
});

const lacks = [
  "system/not-enough-memory",
  "system/not-enough-space",
  "system/swap-failed",
  "system/out-of-memory",
] as const;

for (const code of lacks) {
  t.test(`with \`when-needed\`, ${code} makes it a fetch that says why`, async (t) => {
    const mode = "when-needed";
    const lack = new Fault(code, "600 MiB are needed, 400 MiB can be had");
    const fetch = { mode, manifests: ["file:///none", "file:///m"] } satisfies Settings["fetch"];
    const because = `because ${lack.message}`;
    t.same(await asked(t, { fetch, lack }), ["build abab", `fetch on a stick abab ${because}`]);
    t.same(await asked(t, { fetch, lack }, true), ["preview undefined", "preview on a stick"]);

    const refused = (manifests: string[]) => asked(t, { fetch: { mode, manifests }, lack });
    await t.rejects(refused([]), {
      code,
      message: /600 MiB are needed, 400 MiB can be had; fetch\.manifests names no place/,
      hint: /^Publish the built system .*(swap|free space)/,
    });
    await t.rejects(refused(["file:///none"]), {
      code,
      message: /no manifest of it at file:.*none/,
    });

    const fault = new Fault("system/closure-untrusted", "no key", { hint: "Trust one." });
    await t.rejects(asked(t, { fetch, lack, fault }), {
      code: "system/closure-untrusted",
      message: /^no key; it was fetched, because a build here does not fit: 600 MiB/,
      hint: "Trust one.",
    });
  });
}
