import t from "tap";
import type { PciDevice } from "#generated/provisioner/facts/facts.ts";
import { busIdOf, gpusOf } from "./gpus.ts";

t.test("a slot is written as an X server wants it", async (t) => {
  const cases: readonly (readonly [string, string | null])[] = [
    ["0000:c1:00.0", "PCI:193:0:0"],
    ["0000:00:02.0", "PCI:0:2:0"],
    ["0001:0a:1f.7", "PCI:10@1:31:7"],
    ["10000:e1:00.0", "PCI:225@65536:0:0"],
    ["c1:00.0", null],
    ["0000:c1:20.0", null],
    ["0000:c1:00.8", null],
    ["", null],
  ];
  for (const [slot, busId] of cases) t.equal(busIdOf(slot), busId, slot);
});

t.test("graphics processors are known by their class, with or without a screen", async (t) => {
  const pci = (slot: string, kind: string | null): PciDevice => ({
    slot,
    vendor: "10de",
    device: "2d58",
    subsystemVendor: null,
    subsystemDevice: null,
    class: kind,
    driver: "nouveau",
    module: "nouveau",
  });
  const gpus = gpusOf(
    [
      pci("0000:01:00.0", "030200"),
      pci("0000:01:00.1", "040300"),
      pci("0000:02:00.0", null),
      pci("0000:c1:00.0", "030000"),
    ],
    (slot) => (slot === "0000:c1:00.0" ? true : null),
  );
  const known = { vendor: "10de", device: "2d58", driver: "nouveau" };
  t.same(gpus, [
    { slot: "0000:01:00.0", ...known, busId: "PCI:1:0:0", bootVga: null },
    { slot: "0000:c1:00.0", ...known, busId: "PCI:193:0:0", bootVga: true },
  ]);
});
