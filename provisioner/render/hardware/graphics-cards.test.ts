import t from "tap";
import { sampleCard } from "../sample-machine.ts";
import { busId, graphicsCards } from "./graphics-cards.ts";
import { nvidiaBranch } from "./nvidia-chips.ts";

t.test("a slot of sysfs is the address that X takes, in decimal", async (t) => {
  const cases: readonly (readonly [slot: string, address: string | undefined])[] = [
    ["0000:01:00.0", "PCI:1:0:0"],
    ["0000:00:02.0", "PCI:0:2:0"],
    ["0000:c1:00.0", "PCI:193:0:0"],
    ["0000:c2:1f.7", "PCI:194:31:7"],
    ["0001:c1:00.0", "PCI:193@1:0:0"],
    ["10000:e1:00.0", "PCI:225@65536:0:0"],
    ["c1:00.0", undefined],
    ["0000:c1:00.8", undefined],
    ["virtio0", undefined],
  ];
  for (const [slot, address] of cases) t.equal(busId(slot), address, slot);
});

t.test("the driver of a chip goes by its device id", async (t) => {
  const cases: readonly (readonly [device: string, branch: string, name: string])[] = [
    ["0110", "none", "GeForce2 MX"],
    ["0191", "340", "GeForce 8800 GTX"],
    ["0a65", "340", "GeForce 210"],
    ["06c0", "390", "GeForce GTX 480"],
    ["1140", "390", "GeForce 710M to 820M"],
    ["1180", "470", "GeForce GTX 680"],
    ["128b", "470", "GeForce GT 710"],
    ["1340", "580", "GeForce 830M"],
    ["17c8", "580", "GeForce GTX 980 Ti"],
    ["1c82", "580", "GeForce GTX 1050 Ti"],
    ["1db1", "580", "Tesla V100"],
    ["1e02", "open", "TITAN RTX"],
    ["1f91", "open", "GeForce GTX 1650 Mobile"],
    ["2191", "open", "GeForce GTX 1660 Ti Mobile"],
    ["20b0", "open", "A100"],
    ["25a2", "open", "GeForce RTX 3050 Mobile"],
    ["2820", "open", "GeForce RTX 4070 Mobile"],
    ["2d58", "open", "GeForce RTX 5070 Mobile"],
  ];
  for (const [device, branch, name] of cases) t.equal(nvidiaBranch(device), branch, name);
});

t.test("the processor's graphics are told from further cards", async (t) => {
  const nvidia = sampleCard("0000:01:00.0", "10de:2820");
  const audio = { ...sampleCard("0000:01:00.1", "10de:22bd"), class: "040300" };
  const intel = sampleCard("0000:00:02.0", "8086:a7a8");
  const arc = sampleCard("0000:03:00.0", "8086:56a0");
  const amd = sampleCard("0000:c2:00.0", "1002:1114");
  const radeon = sampleCard("0000:03:00.0", "1002:7480");
  const integrated = (...pci: ReturnType<typeof sampleCard>[]) => graphicsCards({ pci }).integrated;
  t.same(
    graphicsCards({ pci: [nvidia, audio] }).nvidia.map(({ slot }) => slot),
    ["0000:01:00.0"],
  );
  t.same(integrated(nvidia, intel), { maker: "intel", busId: "PCI:0:2:0" });
  t.same(integrated(nvidia, intel, arc), { maker: "intel", busId: "PCI:0:2:0" });
  t.same(integrated(nvidia, amd), { maker: "amdgpu", busId: "PCI:194:0:0" });
  t.same(integrated(nvidia, amd, radeon), undefined, "nothing tells which has the screen");
  t.same(integrated(nvidia), undefined);
  t.same(graphicsCards({ pci: null }), { nvidia: [], integrated: undefined });
});
