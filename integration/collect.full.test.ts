import t from "tap";
import { needs } from "#agent/datasources/images/make-images.ts";
import { grownNode, wrongAfterCollection } from "./grown-node.ts";
import { skipWithoutNix } from "./nix-machine.ts";

t.setTimeout(600_000);
const skip = skipWithoutNix() || (needs("xorriso").skip ?? false);

t.test("a collection killed at any effect is finished by the next", { skip }, async (t) => {
  const node = await grownNode(t);
  const { machine } = node;
  const lost = machine.profileGenerations()[0]?.system ?? "";
  const start = machine.snapshot();
  const counted = await node.firstlight(["collect"], { env: { FIRSTLIGHT_COUNT_EFFECTS: "1" } });
  t.match(counted, { code: 0 });
  t.strictSame(wrongAfterCollection(node, lost), []);
  const effects = counted.stderr.match(/^effect [0-9]+ .*$/gm) ?? [];
  for (const name of ["nix-env --delete-generations", "switch-to-configuration boot"])
    t.ok(
      effects.some((effect) => effect.endsWith(name)),
      name,
    );
  for (const [index, effect] of effects.entries()) {
    machine.restore(start);
    const killed = await node.firstlight(["collect"], {
      env: { FIRSTLIGHT_DIE_AT_EFFECT: String(index + 1) },
    });
    t.equal(killed.signal ?? killed.code, killed.signal === null ? 137 : "SIGKILL");
    t.match(await node.firstlight(["collect"]), { code: 0 }, effect);
    t.strictSame(wrongAfterCollection(node, lost), [], effect);
  }
  machine.discard(start);
});
