import t from "tap";
import { silentLog } from "#core/log.ts";
import { fakeNode } from "./fake-update.ts";
import { openTracker } from "./tracker.ts";

t.setTimeout(300_000);

t.test("a way back that was stuck is finished before another update is taken", async (t) => {
  const node = await fakeNode(t);
  node.assign({ spec: { hostname: "kernel-new" } });
  t.match(await node.run(), { update: { state: "REBOOTING" } });
  const processes = { self: () => ({ pid: 1, started: "1" }), isAlive: () => false };
  const tracker = openTracker(node.start().io, silentLog, processes);
  tracker.happen({ name: "roll-back", reason: "a test" });
  tracker.happen({ name: "stuck", reason: "a test", code: "update/roll-back-failed" });
  tracker.release();
  node.assign({ id: "u-2", name: "edge-2", number: 2 });
  t.match(await node.run(), { update: { updateId: "u-2", state: "SUCCEEDED" } });
  const states = node.states();
  t.equal(states[states.indexOf("ROLLBACK_FAILED") + 1], "ROLLED_BACK");
});
