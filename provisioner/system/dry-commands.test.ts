import { readFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { hostIo } from "#core/host-io.ts";
import { systemClient } from "./client.ts";
import { openDriver } from "./driver.ts";
import { fakeMachine, fakeSources } from "./fake-machine.ts";
import { fakeEntry, fakeManifest, makeKeys } from "./fetch/fake-closure.ts";
import { signManifest } from "./fetch/sign-manifest.ts";
import { digestPlan } from "./plan.ts";
import { readGenerationRecord } from "./read-generation-record.ts";
import type { ChangeReason, SystemEvent, Verdict } from "./system.ts";

const reason: ChangeReason = { by: "boot", why: "a test", instanceId: "i-1" };
const verdict: Verdict = { healthy: true, reasons: [], passes: 3, ms: 1 };

/** Two commits and a trial that is rolled back, as the events of a driver tell them. */
async function tell(root: string, driver: "nix" | "dry", systemd: boolean) {
  const m = fakeMachine(root, { systemd });
  const events: SystemEvent[] = [];
  const { system, io } = m.start({ driver });
  const c = systemClient(system, { onEvent: (event) => events.push(event) });
  await c.recover();
  for (const name of ["a", "b"]) {
    const plan = await c.plan(await c.build(fakeSources(name, "/nix/store/pinned"), reason));
    await c.commit(await c.try(plan), verdict);
  }
  const plan = await c.plan(await c.build(fakeSources("c"), reason));
  await c.rollBack(await c.try(plan), { ...verdict, healthy: false });
  const { plan: back } = await c.planGeneration(2, reason);
  return { m, c, io, events, back };
}

for (const systemd of [true, false]) {
  t.test(`the dry driver says what the nix driver runs, systemd ${systemd}`, async (t) => {
    const dir = t.testdir({ nix: {}, dry: {} });
    const nix = await tell(`${dir}/nix`, "nix", systemd);
    const dry = await tell(`${dir}/dry`, "dry", systemd);
    const argvs = (events: readonly SystemEvent[], root: string) =>
      events
        .flatMap((event) =>
          event.type === "command" ? [event.argv.join(" ").replace(root, "")] : [],
        )
        .filter((argv) => !argv.startsWith("systemctl show")) // waits for what never runs here
        .filter((argv) => !argv.startsWith("nix-store --query --size")); // of what no store has said
    t.same(argvs(dry.events, dry.m.root), argvs(nix.events, nix.m.root));
    t.ok(nix.events.every((event) => event.type !== "command" || event.run));
    t.ok(dry.events.every((event) => event.type !== "command" || !event.run));
    t.same(dry.io.executed, [], "and starts no process");
    t.equal(dry.back.difference, null, "there is no store to ask");
    const digest = ({ back, m }: typeof dry) => {
      const commands = back.commands.map((argv) => argv.map((word) => word.replace(m.root, "")));
      return digestPlan({ ...back, commands, difference: null });
    };
    t.equal(digest(dry), digest(nix), "and plans agree in all else");
    const seen = async ({ c }: typeof dry) =>
      (await c.history()).generations.map(({ generation, toplevel, outcome }) => ({
        generation,
        toplevel,
        outcome,
      }));
    t.same(await seen(dry), await seen(nix), "and so does what the machine has become");
    t.equal(dry.m.running(), nix.m.running());
  });
}

t.test("a dry machine is believable from nothing", async (t) => {
  const io = fakeIo(t.testdir());
  const c = systemClient(openDriver(io, { driver: "dry" }));
  const closure = await c.build(fakeSources("a"), reason);
  t.match(closure.toplevel, /^\/nix\/store\/[0-9a-z]{32}-nixos-system-firstlight$/);
  await c.commit(await c.try(await c.plan(closure)), verdict);
  t.match(await c.runs(fakeSources("a").digest), { runs: true, generation: 1 });
  t.equal(io.files.realPath("/nix/var/nix/profiles/system"), closure.toplevel);
});

t.test("a dry system says of itself what its sources say", async (t) => {
  const io = fakeIo(t.testdir());
  const c = systemClient(openDriver(io, { driver: "dry" }));
  const golden = path.join(import.meta.dirname, "../render/golden/generation.nix");
  const content = readFileSync(golden, "utf8");
  const { files, ...sources } = fakeSources("a");
  const module = { path: "firstlight/generation.nix", content, mode: 0o644 };
  const { toplevel } = await c.build({ ...sources, files: [...files, module] }, reason);
  t.match(readGenerationRecord(io.files, toplevel), {
    ...{ v: 1, content: "0".repeat(64), release: "firstlight.00000000" },
    ...{ commands: { length: 0 }, hooks: [{ script: {} }, { name: "tell" }] },
    report: { instanceId: "i-0001", password: null, spec: null },
    credentials: { length: 5 },
  });
  const bare = await c.build(fakeSources("b"), reason);
  t.equal(readGenerationRecord(io.files, bare.toplevel), undefined);
});

t.test("the dry driver refuses the real machine", async (t) => {
  const real = hostIo({ root: "/" });
  const c = systemClient(openDriver(real, { driver: "dry" }));
  await t.rejects(c.history(), { code: "system/dry-needs-root" });
});

t.test(
  "a dry fetch verifies the manifest, says what would be taken in, and asks no cache",
  async (t) => {
    const keys = makeKeys("fleet-1");
    const io = fakeIo(t.testdir());
    const said: string[] = [];
    const fetch = { trustedKeys: [keys.publicKey], caches: ["https://192.0.2.1"] };
    const c = systemClient(openDriver(io, { driver: "dry", fetch }), {
      onEvent: (event) => {
        if (event.type === "command") said.push(event.argv.join(" "));
      },
    });
    const sources = fakeSources("a");
    const manifest = fakeManifest(
      [fakeEntry("bash", Buffer.from("b")), fakeEntry("system", Buffer.from("s"), ["bash"])],
      sources.digest,
    );
    const signed = signManifest(manifest, [keys.secret]);
    const closure = await c.fetch(signed, sources, reason);
    const [bash, system] = manifest.paths.map(({ path }) => path);
    t.match(said[0], `nix-store --realise ${bash} ${system} --add-root`);
    const { generation } = await c.commit(await c.try(await c.plan(closure)), verdict);
    t.equal(generation, 1);
    t.same(io.executed, []);
    const stranger = signManifest(manifest, [makeKeys("fleet-1").secret]);
    await t.rejects(c.fetch(stranger, sources, reason), { code: "system/closure-untrusted" });

    const kernel = "/nix/store/00000000000000000000000000000001-linux-6.12/bzImage";
    io.files.write("/boot/EFI/nixos/other.efi", "");
    io.files.write(kernel, "k".repeat(5000));
    const realPath: typeof io.files.realPath = (file) =>
      file === `${system}/kernel` ? kernel : io.files.realPath(file);
    const space: typeof io.files.space = (place) => {
      const real = io.files.space(place);
      return real && place.startsWith("/boot") ? { ...real, availableBytes: 4999 } : real;
    };
    const full = { ...io, files: { ...io.files, space } };
    const storeFiles = { ...io.files, realPath };
    const small = systemClient(openDriver(full, { driver: "dry", fetch, storeFiles }));
    await t.rejects(small.fetch(signed, sources, reason), {
      code: "system/not-enough-boot-space",
      message: /^\/boot\/EFI\/nixos: 4\.9 KiB/,
    });
  },
);
