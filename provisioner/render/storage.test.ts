import t from "tap";
import { fileOf, plainFacts, tryRender } from "./try-render.ts";

const gibibyte = 1024 ** 3;

/** Size of the swap file of a machine with so much memory. */
function sizeFor(memoryBytes: number, maxMiB?: number): string | undefined {
  const wish = { device: "/swap.img", size: "auto" as const, ...(maxMiB && { maxMiB }) };
  const result = tryRender({ swap: [wish] }, { facts: { ...plainFacts, memoryBytes } });
  t.strictSame(result.findings, []);
  return /size = ([0-9]+);/.exec(fileOf(result, "firstlight/instance.nix"))?.[1];
}

t.test("swap is as large as suits the memory", async (t) => {
  t.equal(sizeFor(gibibyte), "1024");
  t.equal(sizeFor(gibibyte - 40_000_000), "1024");
  t.equal(sizeFor(8 * gibibyte), "4096");
  t.equal(sizeFor(64 * gibibyte), "8192");
  t.equal(sizeFor(8 * gibibyte, 512), "512");
});

t.test("what is on a device stays: only NixOS's own word for it is used", async (t) => {
  const mount = { device: "/dev/vdb1", path: "/a", type: "ext4" };
  const text = (more: object) =>
    fileOf(tryRender({ mounts: [{ ...mount, ...more }] }), "firstlight/instance.nix");
  t.match(text({ format: true }), /autoFormat = true;/);
  t.match(text({ format: false }), /autoFormat = false;/);
  t.notMatch(text({}), /autoFormat/);
});
