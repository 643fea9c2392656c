import t from "tap";
import type { Log, LogFields } from "#core/log.ts";
import { readJudging } from "./judging.ts";

const check = { type: "file", path: "/ready" } as const;
const health = { passes: 2, interval: "1s", keep: ["link"], checks: [check] } as const;
const restarted = [{ unit: "b.service", restarts: 2, lately: false }] as const;
const baseline = { failedUnits: ["a.service"], restarted, kept: [{ type: "link" }] } as const;

function listening(): { readonly log: Log; readonly heard: (LogFields | undefined)[] } {
  const heard: (LogFields | undefined)[] = [];
  const log: Log = {
    debug: () => {},
    info: () => {},
    warning: (_event, fields) => heard.push(fields),
    error: () => {},
  };
  return { log, heard };
}

t.test("what was kept is what is judged by", async (t) => {
  const { log, heard } = listening();
  t.strictSame(await readJudging({ health, baseline }, log), { health, baseline });
  t.strictSame(await readJudging(null, log), {
    baseline: { failedUnits: null, restarted: null, kept: [] },
  });
  const older = { failedUnits: ["a.service"], kept: [] };
  t.strictSame((await readJudging({ baseline: older }, log)).baseline, {
    ...older,
    restarted: null,
  });
  t.strictSame(heard, []);
});

t.test("what is not as its schema wants it is left out and told, the rest holds", async (t) => {
  const { log, heard } = listening();
  const read = await readJudging(
    {
      health: { ...health, keep: "link", checks: [check, { type: "moon", phase: "full" }] },
      baseline: { failedUnits: [7], restarted: [{ unit: "b" }], kept: [{ type: "link" }, 8] },
    },
    log,
  );
  t.match(read.health, { passes: 2, interval: "1s" });
  t.notHas(read.health, { keep: "link" });
  t.notMatch(JSON.stringify(read), /moon/);
  t.equal(read.baseline.failedUnits, null);
  t.equal(read.baseline.restarted, null);
  t.match(heard, [
    { code: "system/judging-unread", message: /keep.*checks.*failedUnits.*restarted/ },
  ]);
});

t.test("whatever was kept, something can be judged by", async (t) => {
  for (const health of [7, "x", [], [1], { passes: "3" }, { checks: 5 }, { checks: [null] }]) {
    const { log, heard } = listening();
    const read = await readJudging({ health, baseline: { kept: health } }, log);
    t.ok(Array.isArray(read.baseline.kept), JSON.stringify(read));
    t.notOk(Array.isArray(read.health));
    t.equal(heard.length, 1, JSON.stringify(health));
  }
});
