import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import type { SystemStatus } from "#provisioner/system/system.ts";
import type { Witness } from "./facts/witness.ts";
import type { Outcome } from "./outcome.ts";
import { stateReaders } from "./state-readers.ts";
import { statusWriter, writeResult } from "./status.ts";

const one = "/nix/store/11111111111111111111111111111111-nixos-system-one";
const two = "/nix/store/22222222222222222222222222222222-nixos-system-two";
const witness: Witness = { v: 1, readings: {}, failures: [], missingTools: [], ms: 1 };

const status: SystemStatus = {
  ...{ state: "none", transaction: null, reason: null, bootId: "b", booted: one },
  running: one,
  bootDefault: { toplevel: one, generation: 4 },
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
