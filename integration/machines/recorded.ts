import { ec2Nitro } from "./ec2-nitro.ts";
import { framework1313thGenIntel } from "./framework-13-13th-gen-intel.ts";
import { framework13Amd7040 } from "./framework-13-amd-7040.ts";
import { framework16Rtx5070 } from "./framework-16-rtx-5070.ts";
import { genericX86 } from "./generic-x86.ts";
import { jetsonOrinNano } from "./jetson-orin-nano.ts";
import type { Machine } from "./machine.ts";
import { qemuQ35 } from "./qemu-q35.ts";
import { raspberryPi4 } from "./raspberry-pi-4.ts";
import { raspberryPi5 } from "./raspberry-pi-5.ts";

/** Every machine that was recorded. */
export const recordedMachines: readonly Machine[] = [
  framework13Amd7040,
  framework1313thGenIntel,
  framework16Rtx5070,
  raspberryPi4,
  raspberryPi5,
  jetsonOrinNano,
  ec2Nitro,
  qemuQ35,
  genericX86,
];
