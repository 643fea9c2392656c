import t from "tap";
import { needs } from "#agent/datasources/images/make-images.ts";
import { skipWithoutNix } from "./nix-machine.ts";
import { rootSideOf, seedWith, summary } from "./sides/node.ts";
import { storyNode } from "./story.ts";
import { inconsistencies } from "./story-state.ts";

t.setTimeout(900_000);
const skip = skipWithoutNix() || (needs("xorriso").skip ?? false);
/** Every so manieth effect is a point to be killed at. */
const stride = 4;

t.test(
  "a root side killed in the middle of a boot is told, and settled by the next",
  { skip },
  async (t) => {
    const node = await storyNode(t);
    const { machine } = node;
    node.insert("iso", seedWith("the first"));
    const seeded = machine.snapshot();
    const counting = await rootSideOf(t, node, { FIRSTLIGHT_COUNT_EFFECTS: "1" });
    const begun = counting.lines.length;
    t.match(await node.firstlight(["boot"]), { code: 0 });
    counting.process.kill("SIGTERM");
    t.equal(await counting.ended, 0);
    const effects = counting.lines.slice(begun).flatMap((line): [string, string][] => {
      const [, number, name] = /^effect ([0-9]+) (.*)$/.exec(line) ?? [];
      return number === undefined || name === undefined ? [] : [[number, name]];
    });
    t.ok(effects.length > 20, `${effects.length} effects`);
    for (const [number, name] of effects.filter((_, index) => index % stride === 0)) {
      machine.restore(seeded);
      const side = await rootSideOf(t, node, { FIRSTLIGHT_DIE_AT_EFFECT: number });
      const run = await node.firstlight(["boot"]);
      t.equal(await side.ended, "SIGKILL", name);
      t.match(run, { code: 1, stdout: /^failed: the root side went away/ }, summary(run));
      const next = await rootSideOf(t, node);
      const settled = await node.firstlight(["boot"]);
      t.match(settled, { code: 0, stdout: /^(committed|unchanged)/ }, summary(settled));
      t.same(inconsistencies(node), [], name);
      next.process.kill("SIGTERM");
      await next.ended;
    }
  },
);
