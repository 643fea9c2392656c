import t from "tap";
import { openLab } from "./lab.ts";
import { skipWithoutBoot } from "./needs.ts";
import { play } from "./play.ts";
import { firstBoot } from "./scenarios/first-boot.ts";
import { laptop, laptopFirmware } from "./scenarios/laptop.ts";
import { vm, waitMs } from "./vm.ts";

// Not part of a suite, because emulation takes its time: `npm run test:vm`.
t.setTimeout(7_200_000);
const skip = skipWithoutBoot(["qemu-system-x86_64", "qemu-img", "xorriso"]);

t.test("a Framework laptop: cold boots from a seed on a disk", { skip }, async (t) => {
  const lab = await openLab(t, { waitMs });
  const machine = await vm(t, lab, { ...laptopFirmware, restartsFirst: true });
  await play(t, firstBoot, { machine, lab });
  await play(t, laptop, { machine, lab });
});
