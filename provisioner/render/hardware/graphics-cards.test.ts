import t from "tap";
import type { PciDevice } from "#generated/provisioner/facts/facts.ts";
import { gpusOf } from "#provisioner/facts/gpus.ts";
import { sampleCard } from "../sample-machine.ts";
import { graphicsCards } from "./graphics-cards.ts";
import { nvidiaBranch } from "./nvidia-chips.ts";

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
  const found = (pci: readonly PciDevice[], shown: string | null = null) =>
    graphicsCards({ gpus: gpusOf(pci, (slot) => (shown === null ? null : slot === shown)) });
  const integrated = (pci: readonly PciDevice[], shown?: string) => {
    const card = found(pci, shown).integrated;
    return card === undefined ? undefined : [card.maker, card.busId];
  };
  t.match(found([nvidia, audio]).nvidia, [{ slot: "0000:01:00.0", branch: "open" }]);
  t.equal(found([nvidia, audio]).nvidia.length, 1);
  t.same(integrated([nvidia, intel]), ["intel", "PCI:0:2:0"]);
  t.same(integrated([nvidia, intel, arc]), ["intel", "PCI:0:2:0"]);
  t.same(integrated([nvidia, amd]), ["amdgpu", "PCI:194:0:0"]);
  t.same(integrated([nvidia, amd, radeon]), undefined, "nothing tells which has the screen");
  t.same(integrated([nvidia, amd, radeon], amd.slot), ["amdgpu", "PCI:194:0:0"]);
  t.same(integrated([nvidia]), undefined);
  t.same(graphicsCards({ gpus: null }), { nvidia: [], integrated: undefined });
});
