import t from "tap";
import { checkCompatible, isOlder, type NodeKind } from "./compatible.ts";

const node: NodeKind = { agent: "0.10.0", platform: "aarch64-linux", profile: "raspberry-pi/4" };
const release = { path: "release/a", name: "a", number: 1, length: 1, sha256: "0".repeat(64) };

t.test("a release says for whom it is", async (t) => {
  const fits = [
    {},
    { minimumAgent: "0.9.9" },
    { minimumAgent: "0.10.0" },
    { platforms: ["x86_64-linux", "aarch64-linux"] },
    { hardware: ["raspberry-pi/4"] },
  ];
  for (const more of fits)
    t.doesNotThrow(() => checkCompatible({ release: { ...release, ...more } }, node));
  const others = [
    { minimumAgent: "0.10.1" },
    { minimumAgent: "1.0.0" },
    { platforms: ["x86_64-linux"] },
    { platforms: [] },
    { hardware: ["raspberry-pi/5"] },
  ];
  for (const more of others)
    t.throws(() => checkCompatible({ release: { ...release, ...more } }, node), {
      code: "update/incompatible",
      message: /^release\/a: /,
    });
  const unknown = { ...node, profile: null };
  t.throws(() => checkCompatible({ release: { ...release, hardware: ["x"] } }, unknown), {
    message: /none that is known/,
  });
});

t.test("versions in their order", async (t) => {
  const ordered = ["0.9.0", "0.10.0-rc.2", "0.10.0-rc.10", "0.10.0", "0.10.1", "1.0.0"];
  for (const [at, one] of ordered.entries())
    for (const [other, two] of ordered.entries())
      t.equal(isOlder(one, two), at < other, `${one} ${two}`);
  t.equal(isOlder("1.0.0+build.7", "1.0.0"), false);
});
