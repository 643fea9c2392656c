import { readFileSync } from "node:fs";
import t from "tap";
import { skipWithoutOptions, unfitOptions } from "#provisioner/nixos-options/rendered.ts";
import { leastDiskBytes, makeLayout } from "./make-layout.ts";
import { everything, sources, system } from "./rendered-layout.ts";
import { sampleLayout, sampleSeed, sampleWishes } from "./sample-layouts.ts";
import { installSteps } from "./steps.ts";
import { storageModule } from "./storage-options.ts";

const mebibyte = 1024 * 1024;

function assertNever(name: string): never {
  throw new Error(`no sample ${name}`);
}

for (const [name, wishes] of Object.entries(sampleWishes)) {
  t.test(`${name} is rendered as in golden/${name}.txt`, async (t) => {
    const golden = readFileSync(new URL(`./golden/${name}.txt`, import.meta.url), "utf8");
    t.equal(everything(name), golden);
    const layout = sampleLayout(wishes);
    for (const { partitions, binding } of layout.disks) {
      let end = mebibyte;
      for (const { startBytes, sizeBytes } of partitions) {
        t.equal(startBytes, end, "each begins where the one before ends");
        t.ok(sizeBytes > 0 && sizeBytes % mebibyte === 0);
        end = startBytes + sizeBytes;
      }
      t.ok(end <= binding.sizeBytes - mebibyte, "and the copy of the table has its room");
    }
    const isHidden = layout.swap === null || "encrypted" in layout.swap.on;
    t.ok(isHidden || layout.swap?.hibernate === false, "memory goes to the disk encrypted only");
    const file = storageModule(layout);
    t.same(unfitOptions([{ path: "firstlight/hardware.nix", content: file.content }]), []);
    const steps = installSteps({ layout, sources, system });
    t.equal(new Set(steps.map(({ id }) => id)).size, steps.length, "each step has its own name");
  });
}

t.test("the options are held against NixOS's own list", { skip: skipWithoutOptions }, async (t) => {
  const content = "{\n  boot.swraids.enable = true;\n}\n";
  t.not(unfitOptions([{ path: "firstlight/hardware.nix", content }]).length, 0);
});

t.test("what does not go together is refused before a disk is looked at", async (t) => {
  const usual = sampleWishes["encrypted-ext4-hibernate"] ?? assertNever("usual");
  const table = [
    [{ ...usual, name: "plain" }, /in the clear/],
    [{ ...usual, name: "mirror", swap: "memory" }, /in the clear/],
    [{ ...usual, espMebibytes: 512 }, /512 MiB is too small/],
    [{ ...usual, name: "edge", swap: "none", home: "partition" }, /no partition for \/home/],
    [{ ...usual, name: "edge", swap: "none", fileSystem: "btrfs" }, /ext4 or xfs/],
  ] as const;
  for (const [wishes, message] of table)
    t.throws(() => leastDiskBytes(wishes, 8 * 1024 ** 3), { code: "install/layout", message });
  t.throws(() => leastDiskBytes(usual, null), { code: "install/layout", message: /nobody knows/ });
});

t.test("a disk that is one byte too small is refused, and one that is not is filled", async (t) => {
  for (const [name, wishes] of Object.entries(sampleWishes)) {
    const least = leastDiskBytes(wishes, 7.6 * 1024 ** 3);
    t.throws(() => sampleLayout(wishes, least - 1), { code: "install/disk-too-small" }, name);
    const [disk] = sampleLayout(wishes, least).disks;
    const last = disk?.partitions.at(-1);
    t.equal((last?.startBytes ?? 0) + (last?.sizeBytes ?? 0), least - mebibyte, name);
  }
});

t.test("another seed gives other UUIDs everywhere, the same one the same", async (t) => {
  const wishes = sampleWishes["encrypted-xfs-home"] ?? assertNever("xfs");
  const [one, same] = [sampleLayout(wishes), sampleLayout(wishes)];
  t.same(one, same);
  const ground = { disks: one.disks.map(({ binding }) => binding), memoryBytes: 7.6 * 1024 ** 3 };
  const other = makeLayout(wishes, { ...ground, seed: sampleSeed.replace("5", "6") });
  const uuids = (layout: typeof one) =>
    new Set(JSON.stringify(layout).match(/[0-9a-f]{8}-[0-9a-f-]{27}|[0-9A-F]{4}-[0-9A-F]{4}"/g));
  t.equal(uuids(one).size, uuids(other).size);
  t.same(
    [...uuids(one)].filter((each) => uuids(other).has(each)),
    [],
  );
});
