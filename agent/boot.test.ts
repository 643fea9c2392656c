import t from "tap";
import { Fault } from "#core/fault.ts";
import { hasErrors } from "#core/finding.ts";
import { Secret } from "#core/secret.ts";
import { skipWithoutOptions as skip } from "#provisioner/nixos-options/rendered.ts";
import type { Base } from "#provisioner/render/base.ts";
import type { Sources } from "#provisioner/render/sources.ts";
import type { Closure, Plan, Running, Trial } from "#provisioner/system/system.ts";
import { base, boot, cloudConfig, content, fakeSystem, notRunning, prepare } from "./fake-boot.ts";
import { readInstanceData } from "./instance-data.ts";
import { exitCodeOf } from "./outcome.ts";
import { pinnedInstanceFile, readPinnedInstance, writePinnedInstance } from "./pinned-instance.ts";
import { loadLinkSettings } from "./report-settings.ts";
import { readResult, readStatus } from "./status.ts";

t.test("a first boot goes the whole way, pins its instance, and tells of it", async (t) => {
  const { io, asked, events, deps } = prepare(t);
  const outcome = await boot(deps);
  t.match(outcome, {
    outcome: "committed",
    degraded: false,
    generation: 1,
    instanceId: "i-1",
    datasource: "NoCloud",
  });
  t.strictSame(asked, ["recover", "runs", "build", "plan", "try", "commit"]);
  t.strictSame(
    events.map((event) => event.kind),
    ["boot.started", "boot.finished"],
  );
  t.match(readPinnedInstance(io.files), { datasource: "NoCloud", instanceId: "i-1" });
  t.match(readResult(io.files), { outcome: "committed", exitCode: 0 });
  t.strictSame(
    outcome.stages.map(({ stage }) => stage),
    [
      "recover",
      "discover",
      "resolve",
      "facts",
      "match",
      "base",
      "credentials",
      "render",
      "runs",
      "build",
      "plan",
      "try",
      "judge",
      "commit",
    ],
  );
});

t.test(
  "vendor-data stops no boot: what comes of it with errors is made again without it",
  async (t) => {
    const inside = "write_files: [{path: /etc/a, content: x}, {path: /etc/a/b, content: y}]\n";
    const vendorData = {
      "what is rendered": `#cloud-config\n${inside}timezone: UTC\n`,
      "what is sealed": '#cloud-config\nfirstlight: {secrets: {s: "age-encryption.org/v1"}}\n',
      "what is read": "#cloud-config\ntimezone: [\n",
    };
    for (const [name, text] of Object.entries(vendorData)) {
      const { instance, secrets, ...rest } = content("#cloud-config\nhostname: own\n");
      const given = new Map([
        ...secrets,
        ["vendor-data", new Secret<Uint8Array>(Buffer.from(text))],
      ]);
      const built: Sources[] = [];
      const build = async (sources: Sources) => {
        built.push(sources);
        return { transaction: "t1", toplevel: "/nix/store/new" } as Closure;
      };
      const discover = async () => ({ ...rest, secrets: given, instance });
      const outcome = await boot(prepare(t, { discover }, { build }).deps);
      t.equal(outcome.outcome, "committed", name);
      const of = outcome.findings.filter(({ document }) => document === "vendor-data");
      t.ok(of.length > 0, name);
      t.notOk(hasErrors(outcome.findings), name);
      t.match(JSON.stringify(built[0]?.files), /"own\\?"/, name);
    }
  },
);

t.test("no boot of these tests renders what NixOS has not", { skip }, async (t) => {
  const options = "firstlight: { options: { services.opnessh.enable: true } }\n";
  const { deps } = prepare(t, { discover: async () => content(`#cloud-config\n${options}`) });
  t.match(await boot(deps), {
    outcome: "failed",
    message: /services\.opnessh\.enable: expected an option of NixOS/,
  });
});

t.test("the base is recorded when a system on it is healthy, before its commit", async (t) => {
  const told: string[] = [];
  let digest = "";
  const proposeBase = (kept: Base, sources: string) => {
    digest = sources;
    told.push(kept === base ? "propose" : "another");
  };
  const recordBase = (sources: string | null) =>
    void told.push(sources === digest ? "record" : "another");
  const attempt = async ({ closure }: Plan) =>
    ({ ...closure, transaction: "t1", activation: "switched", message: null }) as unknown as Trial;
  const commit = async () => {
    told.push("commit");
    return { generation: 1, toplevel: "/nix/store/new", sourcesDigest: "s", incomplete: null };
  };
  const build = async ({ digest: sourcesDigest }: Sources) =>
    ({ transaction: "t1", toplevel: "/nix/store/new", sourcesDigest }) as Closure;
  const plan = async (closure: Closure) => ({ digest: "d", closure }) as Plan;
  const hooks = { proposeBase, recordBase };
  const good = prepare(t, hooks, { build, plan, try: attempt, commit });
  t.match(await boot(good.deps), { outcome: "committed" });
  t.strictSame(told.splice(0), ["propose", "record", "commit"]);
  const sick = prepare(t, { ...hooks, probe: async () => ({ passed: false, message: "x" }) });
  t.match(await boot(sick.deps), { outcome: "rolled-back" });
  t.strictSame(told.splice(0), ["propose"]);
  const refuse = async () => {
    throw new Fault("system/build-failed", "does not evaluate");
  };
  t.match(await boot(prepare(t, hooks, { build: refuse }).deps), { outcome: "failed" });
  t.strictSame(told, [], "and at no other end");
});

t.test("what runs already is left alone: no build", async (t) => {
  const { asked, deps } = prepare(
    t,
    {},
    { runs: async () => ({ ...notRunning, runs: true, generation: 3, toplevel: "/nix/store/x" }) },
  );
  t.match(await boot(deps), { outcome: "unchanged", generation: 3 });
  t.strictSame(asked, ["recover", "runs"]);
});

t.test("what a person chose is left alone until something else is asked for", async (t) => {
  const chosen = "rollback: back to generation 1";
  const running = { ...notRunning, generation: 3, toplevel: "/nix/store/old", sourcesDigest: "o" };
  let now = notRunning as Running;
  const { deps, asked } = prepare(t, {}, { runs: async () => now });
  t.match(await boot(deps), { outcome: "committed" });
  now = { ...running, chosen };
  const left = await boot(deps);
  t.match(left, { outcome: "held", fault: { code: "policy/left-alone" }, message: chosen });
  t.match(left, { generation: 3, toplevel: "/nix/store/old", sourcesDigest: "o" });
  t.equal(asked.filter((name) => name === "build").length, 1);
  t.match(await boot({ ...deps, by: "apply", approved: true }), { outcome: "committed" });
  const other = content(cloudConfig.replace("hostname: a", "hostname: b"));
  t.match(await boot({ ...deps, discover: async () => other }), { outcome: "committed" });
});

t.test("an end that does not come to a system says what runs", async (t) => {
  const runs = async () => ({ ...notRunning, generation: 3, toplevel: "/nix/store/x" });
  const { deps } = prepare(
    t,
    { discover: () => Promise.reject(new Fault("datasource/malformed", "no")) },
    { runs },
  );
  t.match(await boot(deps), { outcome: "failed", generation: 3, toplevel: "/nix/store/x" });
});

t.test("what is not healthy is taken back and not pinned", async (t) => {
  const { io, asked, deps } = prepare(t, {
    probe: async () => ({ passed: false, message: "file /ready: must exist" }),
  });
  t.match(await boot(deps), {
    outcome: "rolled-back",
    generation: 7,
    message: /file \/ready/,
    verdict: { healthy: false },
  });
  t.strictSame(asked.slice(-3), ["rollBack", "conclude", "retry"]);
  t.equal(readPinnedInstance(io.files), undefined);
});

t.test(
  "an activation that left failed units is committed as degraded where the checks pass",
  async (t) => {
    const { deps } = prepare(
      t,
      {},
      {
        try: async () =>
          ({
            ...{ activation: "degraded", toplevel: "/nix/store/new" },
            message: "a unit failed: bad.service\nits last words",
          }) as Trial,
      },
    );
    t.match(await boot(deps), {
      outcome: "committed",
      degraded: true,
      message: /^generation [0-9]+ runs and is the boot default; a unit failed: bad\.service$/,
      verdict: { healthy: true, reasons: ["every check passed", /bad\.service\nits last words/] },
    });
  },
);

t.test("input with errors changes nothing, and the findings say why", async (t) => {
  const { asked, deps } = prepare(t, {
    discover: async () => content("#cloud-config\nhostname: a_b c\n"),
  });
  const outcome = await boot(deps);
  t.match(outcome, { outcome: "invalid", fault: { code: "user-data/invalid" } });
  t.ok(outcome.findings.some((finding) => finding.level === "error" && finding.line === 2));
  t.strictSame(asked, ["recover"]);
});

t.test(
  "a change is held for a person, applied when a person asks, and refused without a signature",
  async (t) => {
    const pinned = {
      v: 1,
      datasource: "NoCloud",
      identity: "seed:/x",
      instanceId: "i-0",
      inputsDigest: "",
      changes: null,
      at: "",
    } as const;
    const answers: readonly (readonly ["hold" | "require-signature", boolean, string])[] = [
      ["hold", false, "held"],
      ["hold", true, "committed"],
      ["require-signature", false, "refused"],
      ["require-signature", true, "refused"],
    ];
    for (const [changes, approved, wanted] of answers) {
      const { io, asked, deps } = prepare(t, { settings: { policy: { changes } }, approved });
      writePinnedInstance(io, pinned);
      t.equal((await boot(deps)).outcome, wanted, `${changes}, ${approved}`);
      t.equal(asked.includes("build"), wanted === "committed");
      t.equal(readPinnedInstance(io.files)?.instanceId, wanted === "committed" ? "i-1" : "i-0");
    }
  },
);

t.test("a later document cannot loosen what the first one said about changes", async (t) => {
  const { io, deps } = prepare(t, {
    discover: async () => content("#firstlight\nversion: 1\nupdate: { changes: hold }\n"),
  });
  t.equal((await boot(deps)).outcome, "committed");
  t.equal(readPinnedInstance(io.files)?.changes, "hold");
  const looser = {
    ...deps,
    discover: async () => content("#firstlight\nversion: 1\nupdate: { changes: apply }\n"),
  };
  t.equal((await boot(looser)).outcome, "held");
  t.equal((await boot({ ...looser, approved: true })).outcome, "committed");
  t.equal(readPinnedInstance(io.files)?.changes, "hold");
});

t.test("no datasource is nothing to do; a broken one is a failure", async (t) => {
  const throwing = (fault: Fault) => ({ discover: () => Promise.reject(fault) });
  t.equal(
    (await boot(prepare(t, throwing(new Fault("datasource/none", "none"))).deps)).outcome,
    "disabled",
  );
  t.equal(
    (await boot(prepare(t, throwing(new Fault("datasource/disabled", "off"))).deps)).outcome,
    "disabled",
  );
  t.match(
    await boot(prepare(t, throwing(new Fault("datasource/malformed", "/dev/sr0: broken"))).deps),
    { outcome: "failed", fault: { code: "datasource/malformed" } },
  );
});

t.test(
  "a failure in any step of the system is an outcome with its fault, told and written down",
  async (t) => {
    for (const step of ["recover", "runs", "build", "plan", "try", "commit"] as const) {
      const fail = () => Promise.reject(new Fault("system/build-failed", `${step} broke`));
      const { io, events, deps } = prepare(t, {}, { [step]: fail });
      t.match(await boot(deps), { outcome: "failed", message: `${step} broke` }, step);
      t.match(events.at(-1), { kind: "boot.finished", body: { outcome: "failed" } });
      t.match(readResult(io.files), { outcome: "failed", exitCode: 1 });
    }
  },
);

t.test("a defect is an outcome too, and says that it is one", async (t) => {
  const { deps } = prepare(t, {
    readFacts: () => {
      throw new TypeError("x is not a function");
    },
  });
  t.match(await boot(deps), { outcome: "failed", fault: { code: "cli/internal" } });
});

t.test("what did not come for once is no change of a node", async (t) => {
  const said = (hostname: string, incomplete: boolean) => async () => ({
    ...content(`#cloud-config\nhostname: ${hostname}\n`),
    incomplete,
  });
  const { deps } = prepare(t, { discover: said("a", true) });
  t.match(await boot(deps), { outcome: "committed" }, "at first all that there is counts");
  t.not((await boot({ ...deps, discover: said("a", true) })).fault?.code, "datasource/unreachable");
  t.match(await boot({ ...deps, discover: said("b", true) }), {
    outcome: "failed",
    fault: { code: "datasource/unreachable" },
  });
  t.match(await boot({ ...deps, discover: said("b", true), by: "apply", approved: true }), {
    outcome: "committed",
  });
  t.match(await boot({ ...deps, discover: said("c", false) }), { outcome: "committed" });
});

t.test("what could not be done makes a boot degraded, a mere note does not", async (t) => {
  const lost = prepare(t, {
    discover: async () => content("#cloud-config\nlandscape: { client: { url: x } }\n"),
  });
  t.match(await boot(lost.deps), { outcome: "committed", degraded: true });
  t.ok(lost.events.some((event) => event.kind === "finding"));
  const noted = prepare(t, {
    discover: async () => content("#cloud-config\npackages: [fd-find]\n"),
  });
  t.match(await boot(noted.deps), { outcome: "committed", degraded: false });
});

t.test(
  "other keys of an account elsewhere are a change; without them nothing is applied",
  async (t) => {
    const answers = (keys: string | undefined) => async (urls: readonly string[]) => {
      t.strictSame(urls, ["https://github.com/octocat.keys"]);
      return new Map(keys === undefined ? [] : urls.map((url) => [url, Buffer.from(keys)]));
    };
    const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5A";
    const { deps } = prepare(t, {
      settings: { policy: { changes: "hold" } },
      discover: async () => content("#cloud-config\nssh_import_id: [gh:octocat]\n"),
      fetchSources: answers(`${key}\n`),
    });
    t.equal((await boot(deps)).outcome, "committed");
    const unread = { ...deps, fetchSources: answers(undefined) };
    t.equal((await boot(unread)).outcome, "held");
    t.equal((await boot({ ...unread, approved: true })).outcome, "invalid");
    t.equal((await boot({ ...deps, fetchSources: answers(`${key} other\n`) })).outcome, "held");
  },
);

t.test("a document that names a file by address is held when that file changes", async (t) => {
  const userData =
    "#cloud-config\nwrite_files: [{ path: /etc/x, source: { uri: 'http://192.0.2.1/x' } }]\n";
  const fetching = (text: string) => async () =>
    new Map([["http://192.0.2.1/x", Buffer.from(text)]]);
  const { deps } = prepare(t, {
    settings: { policy: { changes: "hold" } },
    discover: async () => content(userData),
    fetchSources: fetching("one"),
  });
  t.equal((await boot(deps)).outcome, "committed");
  t.equal((await boot(deps)).outcome, "committed", "the same content is no change");
  t.equal((await boot({ ...deps, fetchSources: fetching("two") })).outcome, "held");
});

t.test("where to report follows what runs: not a release that went back", async (t) => {
  const at = (host: string) => ({
    discover: async () =>
      content(
        `#firstlight\nversion: 1\nreport: { mqtt: { host: ${host} } }\nhealth: { passes: 1 }\n`,
      ),
  });
  const { io, deps } = prepare(t, at("192.0.2.1"));
  const host = async () => (await loadLinkSettings(io, {}))?.host;
  const broken = { build: () => Promise.reject(new Fault("system/build-failed", "no")) };
  await boot({ ...deps, system: fakeSystem([], broken) });
  t.equal(await host(), "192.0.2.1", "a first boot that failed is told of");
  await boot(deps);
  await boot({ ...deps, ...at("192.0.2.2"), system: fakeSystem([], broken) });
  t.equal(await host(), "192.0.2.1");
  await boot({ ...deps, ...at("192.0.2.2") });
  t.equal(await host(), "192.0.2.2");
});

t.test("a first boot that its documents fail is told to the broker that they name", async (t) => {
  const at = (report: string) =>
    prepare(t, {
      settings: { report: { mqtt: { host: "192.0.2.9" } } },
      discover: async () =>
        content(`#firstlight\nversion: 1\nhostname: a_b c\nreport: { mqtt: ${report} }\n`),
    });
  const good = at("{ host: 192.0.2.1, tls: true, username: edge, password: s3cret }");
  t.match(await boot(good.deps), { outcome: "invalid" });
  const link = await loadLinkSettings(good.io, {});
  t.match(link, { host: "192.0.2.1", tls: Object, username: "edge" });
  t.equal(link?.password?.reveal(), "s3cret");
  const half = at("{ host: 192.0.2.1, tls: yess, password: s3cret }");
  t.match(await boot(half.deps), { outcome: "invalid" });
  const settings = await loadLinkSettings(half.io, half.deps.settings);
  t.equal(settings?.host, "192.0.2.9", "nothing of a broker that is named wrongly");
  t.equal(settings?.password, undefined);
});

t.test("an instance that the policy does not let in leaves no data to query", async (t) => {
  const { io, deps } = prepare(t, { settings: { policy: { changes: "hold" } } });
  await boot(deps);
  const stranger = content(cloudConfig);
  const other = { ...stranger, instance: { ...stranger.instance, instanceId: "i-2" } };
  t.equal((await boot({ ...deps, discover: async () => other })).outcome, "held");
  t.match(readInstanceData(io.files), { v1: { instance_id: "i-1" } });
});

t.test("a second boot beside the first leaves the first one's result alone", async (t) => {
  const { io, deps } = prepare(t);
  await boot(deps);
  const locked = { recover: () => Promise.reject(new Fault("system/locked", "process 1")) };
  const outcome = await boot({ ...deps, system: fakeSystem([], locked) });
  t.equal(exitCodeOf(outcome), 75);
  t.match(readResult(io.files), { outcome: "committed" });
});

t.test(
  "a change that is refused before its trial leaves the node as its boot told it",
  async (t) => {
    const { io, deps } = prepare(t);
    const broken = { build: () => Promise.reject(new Fault("system/build-failed", "no")) };
    const apply = { ...deps, by: "apply", approved: true } as const;
    t.match(await boot({ ...apply, system: fakeSystem([], broken) }), { outcome: "failed" });
    t.match(readResult(io.files), { outcome: "failed" }, "nothing else is known yet");
    t.match(await boot(deps), { outcome: "committed" });
    t.match(await boot({ ...apply, system: fakeSystem([], broken) }), { outcome: "failed" });
    t.match(readResult(io.files), { outcome: "committed" });
    t.equal(readStatus(io.files)?.state, "done");
    const sick = { ...apply, probe: async () => ({ passed: false, message: "x" }) };
    t.match(await boot(sick), { outcome: "rolled-back" });
    t.match(readResult(io.files), { outcome: "rolled-back" });
    t.match(await boot({ ...deps, system: fakeSystem([], broken) }), { outcome: "failed" });
    t.match(readResult(io.files), { outcome: "failed" }, "a boot tells every end");
  },
);

t.test("a disk that takes no more changes nothing of what happened", async (t) => {
  const full = (path: string) => {
    const { io, deps } = prepare(t);
    const files = {
      ...io.files,
      write(file: string, ...rest: readonly [string]) {
        if (file.startsWith(path)) throw new Fault("io/write-failed", `${file}: ENOSPC`);
        io.files.write(file, ...rest);
      },
    } as typeof io.files;
    return { ...deps, io: { ...io, files } };
  };
  t.match(await boot(full("/run/firstlight/")), { outcome: "committed", degraded: false });
  t.match(await boot(full(pinnedInstanceFile)), { outcome: "committed", degraded: true });
});

t.test("after going back the sources are those of what runs", async (t) => {
  const { deps } = prepare(t, { probe: async () => ({ passed: false, message: "no" }) });
  t.match(await boot(deps), { outcome: "rolled-back", sourcesDigest: null });
});

t.test(
  "a trial that cannot be judged goes back; an end that was asked for does not wait",
  async (t) => {
    const { asked, deps } = prepare(t, { probe: () => Promise.reject(new TypeError("defect")) });
    t.match(await boot(deps), { outcome: "rolled-back", message: /cannot be judged: defect/ });
    t.strictSame(asked.slice(-2), ["rollBack", "retry"], "nobody concludes");
    const stop = new AbortController();
    const stopping = prepare(t, {
      signal: stop.signal,
      discover: async () => content(cloudConfig.replace("timeout: 1s", "timeout: 9s, keep: []")),
      probe: async () => {
        stop.abort(new Fault("cli/interrupted", "ended by SIGTERM"));
        return { passed: false, message: "no" };
      },
    });
    t.match(await boot(stopping.deps), { outcome: "failed", fault: { code: "cli/interrupted" } });
    t.equal(stopping.asked.at(-1), "try");
  },
);
