import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import type { LastTrial, SystemStatus } from "#provisioner/system/system.ts";
import type { Witness } from "./facts/witness.ts";
import type { Outcome } from "./outcome.ts";
import { stateReaders } from "./state-readers.ts";
import { statusWriter, writeResult } from "./status.ts";
import { writeReportSettings } from "./write-report-settings.ts";

const one = "/nix/store/11111111111111111111111111111111-nixos-system-one";
const two = "/nix/store/22222222222222222222222222222222-nixos-system-two";
const witness: Witness = { v: 1, readings: {}, failures: [], missingTools: [], ms: 1 };

const status: SystemStatus = {
  ...{ state: "none", transaction: null, reason: null, bootId: "b", booted: one },
  running: one,
  bootDefault: { toplevel: one, generation: 4 },
  limits: "none",
  ...{ last: null, leftAlone: null },
};

t.test(
  "what runs is told by the root side where it answers, else as the boot left it",
  async (t) => {
    const io = fakeIo(t.testdir());
    const outcome = {
      ...{ v: 1, outcome: "committed", degraded: false, message: "m", findings: [], fault: null },
      ...{
        generation: 4,
        toplevel: one,
        sourcesDigest: "d",
        finishedAt: "2026-01-01T00:00:00.000Z",
      },
    } as unknown as Outcome;
    writeResult(io, statusWriter(io), outcome);
    const last = { outcome: "committed", at: "2026-01-01T00:00:00.000Z" };
    const reported = (now: SystemStatus | undefined) =>
      stateReaders({
        ...{ io, version: "1", healthIntervalMs: 1_000 },
        witness: async () => witness,
        askStatus: async () => now,
      }).reported();

    const asBooted = { generation: 4, toplevel: one, sourcesDigest: "d", last };
    t.same(await reported(undefined), asBooted);
    t.same(await reported(status), asBooted);
    const byHand = { ...status, running: two, bootDefault: { toplevel: two, generation: 5 } };
    t.same(await reported(byHand), { generation: 5, toplevel: two, last }, "switched by hand");
    t.same(await reported({ ...status, running: two }), { toplevel: two, last }, "only tried");
    t.same(await reported({ ...status, running: null }), { last });
  },
);

t.test("where the update stands is told as it lies on the disk", async (t) => {
  const io = fakeIo(t.testdir());
  const { update } = stateReaders({
    ...{ io, version: "1", healthIntervalMs: 1_000 },
    witness: async () => witness,
  });
  t.equal(await update(), undefined, "a node that never had one");
  const state = { state: "TESTING", seq: 7, attempt: 1, updateId: "u-1" };
  io.files.write("/var/lib/firstlight/update/state.json", JSON.stringify({ v: 1, ...state }));
  t.same(await update(), state);
  io.files.write("/var/lib/firstlight/update/state.json", "{");
  t.equal(await update(), undefined);
});

t.test("a trial that ended after the last word of a boot is told from the journal", async (t) => {
  const io = fakeIo(t.testdir());
  const reported = (trial: Partial<LastTrial> | null) =>
    stateReaders({
      ...{ io, version: "1", healthIntervalMs: 1_000 },
      witness: async () => witness,
      askStatus: async () => ({ ...status, last: trial === null ? null : { ...ended, ...trial } }),
    }).reported();
  const ended: LastTrial = {
    ...{ transaction: "t2", by: "apply", result: "committed", toplevel: one, generation: 4 },
    ...{ verdict: null, reasons: [], at: "2026-01-02T00:00:00.000Z", sourcesDigest: "e" },
  };
  const told = {
    ...{ v: 1, outcome: "committed", degraded: false, message: "m", findings: [], fault: null },
    ...{ generation: 3, toplevel: two, sourcesDigest: "d", lastTrial: "t1" },
    finishedAt: "2026-01-03T00:00:00.000Z",
  } as unknown as Outcome;
  const journal = { outcome: "committed", at: ended.at, transaction: "t2" };
  const runs = { generation: 4, toplevel: one, sourcesDigest: "e" };

  t.equal(await reported(null), undefined, "nothing has ended yet");
  t.same(await reported({}), { ...runs, last: journal }, "no boot has told anything");
  writeResult(io, statusWriter(io), told);
  t.same(await reported({}), { ...runs, last: journal }, "killed before it could tell");
  writeResult(io, statusWriter(io), { ...told, ...runs, lastTrial: "t2" });
  const last = { outcome: "committed", at: told.finishedAt, transaction: "t2" };
  t.same(await reported({}), { ...runs, last }, "its own word of the same trial");
  writeResult(io, statusWriter(io), { ...told, outcome: "held", lastTrial: null });
  t.match(await reported({}), { last: { outcome: "held" } }, "newer by the clock");
  t.match(await reported({ at: "2026-01-04T00:00:00.000Z" }), {
    last: { outcome: "committed", transaction: "t2" },
  });
});

t.test("public host keys are told where the spec wants that, without who made them", async (t) => {
  const io = fakeIo(t.testdir());
  const about = async () => {
    const witnessed = { witness: async () => witness };
    return stateReaders({ ...{ io, version: "1", healthIntervalMs: 1_000 }, ...witnessed }).about();
  };
  const place = (hostKeys: boolean) =>
    writeReportSettings(io, {
      instanceId: "i-1",
      spec: { hostKeys, mqtt: { host: "192.0.2.1" } },
      settings: undefined,
      credentials: new Map(),
    });
  const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5A";
  io.files.write("/etc/ssh/ssh_host_ed25519_key.pub", `${key} root@edge\n`);
  io.files.write("/etc/ssh/ssh_host_rsa_key.pub", "torn");
  t.equal((await about()).hostKeys, undefined, "nobody wants it");
  place(false);
  t.equal((await about()).hostKeys, undefined);
  place(true);
  t.same((await about()).hostKeys, [key]);
});
