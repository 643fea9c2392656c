import t from "tap";
import { openLab } from "./lab.ts";
import { skipWithoutBoot } from "./needs.ts";
import { play } from "./play.ts";
import { extlinux } from "./scenarios/extlinux.ts";
import { grub } from "./scenarios/grub.ts";
import { restart } from "./scenarios/restart.ts";
import { systemdBoot } from "./scenarios/systemd-boot.ts";
import { vm, waitMs } from "./vm.ts";

// Not part of a suite, because emulation takes its time: `npm run test:vm`.
t.setTimeout(7_200_000);
const skip = skipWithoutBoot([
  "qemu-system-x86_64",
  "qemu-img",
  "xorriso",
  "grub-mkimage",
  "extlinux",
  "mcopy",
]);

const scenarios = { grub, "systemd-boot": systemdBoot, extlinux } as const;
const chosen = process.env["VM_LOADER"];

for (const loader of ["grub", "systemd-boot", "extlinux"] as const) {
  if (chosen !== undefined && chosen !== loader) continue;
  t.test(`trials by a restart on a machine with a real ${loader}`, { skip }, async (t) => {
    const lab = await openLab(t, { waitMs });
    const machine = await vm(t, lab, { manufacturer: "QEMU", product: "Standard PC", loader });
    await play(t, restart(loader), { machine, lab });
    await play(t, scenarios[loader], { machine, lab });
  });
}
