import t from "tap";
import { fc } from "#core/fast-check.ts";
import { judgeGenerations, type StandingGeneration } from "./retention.ts";

const day = 86_400_000;
const now = 400 * day;

/** A generation that is so many days old. */
function made(
  generation: number,
  age: number,
  more: Partial<StandingGeneration> = {},
): StandingGeneration {
  const toplevel = `/nix/store/${generation}`;
  return { generation, toplevel, madeMs: now - age * day, heldBy: [], rolledBack: false, ...more };
}

const generations = [
  made(1, 300, { heldBy: ["pinned"] }),
  made(2, 200),
  made(3, 100, { heldBy: ["booted"] }),
  made(4, 50),
  made(5, 40, { rolledBack: true }),
  made(6, 30, { heldBy: ["previous good"] }),
  made(7, 20),
  made(8, 1, { heldBy: ["runs", "boot default"] }),
];

function judge(limits: { keep?: number; maxAgeMs?: number | null; forRoom?: number }) {
  const { keep = 100, maxAgeMs = null, forRoom = 0 } = limits;
  const judged = judgeGenerations(generations, { keep, maxAgeMs }, { nowMs: now, forRoom });
  return new Map(judged.map((each) => [each.generation, each]));
}

const stay = (judged: ReturnType<typeof judge>) =>
  [...judged.values()].filter(({ stays }) => stays).map(({ generation }) => generation);

t.test("without limits only what was rolled back goes", async (t) => {
  const judged = judge({});
  t.strictSame(stay(judged), [1, 2, 3, 4, 6, 7, 8]);
  t.match(judged.get(5), { stays: false, why: ["it was rolled back"] });
  t.match(judged.get(8), { why: ["runs", "boot default"] });
});

t.test("by number the newest stay", async (t) => {
  const judged = judge({ keep: 3 });
  t.strictSame(stay(judged), [1, 3, 6, 7, 8]);
  t.match(judged.get(4)?.why, ["not one of the newest 3"]);
  t.match(judged.get(7)?.why, ["one of the newest 3"]);
});

t.test("by age the young stay", async (t) => {
  const judged = judge({ maxAgeMs: 45 * day });
  t.strictSame(stay(judged), [1, 3, 6, 7, 8]);
  t.match(judged.get(4)?.why, ["older than 45 days"]);
});

t.test("for room the oldest go that only the limits keep", async (t) => {
  t.strictSame(stay(judge({ forRoom: 1 })), [1, 3, 4, 6, 7, 8]);
  t.strictSame(stay(judge({ forRoom: 99 })), [1, 3, 6, 8]);
});

t.test("a clock that is far ahead takes nothing that is held", async (t) => {
  const limits = { keep: 100, maxAgeMs: day };
  const judged = judgeGenerations(generations, limits, { nowMs: now * 1_000, forRoom: 0 });
  t.strictSame(
    judged.filter(({ stays }) => stays).map(({ generation }) => generation),
    [1, 3, 6, 8],
  );
});

t.test("whatever the limits, what is held stays and every judgement has its reason", async (t) => {
  const held = fc.subarray([
    "runs",
    "booted",
    "boot default",
    "previous good",
    "way back",
    "pinned",
  ] as const);
  const some = fc.array(
    fc.record({ age: fc.integer({ max: 1e6 }), held, rolledBack: fc.boolean() }),
  );
  const property = fc.property(
    some,
    fc.record({ keep: fc.nat(), maxAgeMs: fc.option(fc.nat()) }),
    fc.nat(20),
    (list, limits, forRoom) => {
      const standing = list.map(({ age, held: heldBy, rolledBack }, index) =>
        made(index + 1, age, { heldBy, rolledBack }),
      );
      const judged = judgeGenerations(standing, limits, { nowMs: now, forRoom });
      return judged.every(
        ({ stays, why }, index) =>
          why.length > 0 && (stays || standing[index]?.heldBy.length === 0),
      );
    },
  );
  fc.assert(property);
  t.pass("for any generations");
});
