import type { CloudConfigModule } from "./module.ts";
import { nameNeedless } from "./refused.ts";
import { setOption } from "./spec-option.ts";

/** `resize_rootfs`: the root file system is grown to its partition. */
export const resizefs: CloudConfigModule = {
  name: "resizefs",
  keys: ["resize_rootfs"],
  rule:
    'The root file system is grown to its partition as it is mounted (fileSystems."/".autoResize), which holds nothing up, ' +
    "so that `noblock` is the same. NixOS takes it for ext4, XFS, Btrfs and F2FS, where the image says which the root file system has. " +
    "`false` leaves it as the image says.",
  example: "resize_rootfs: true\n",
  translate({ config, draft }) {
    const input = config.get("resize_rootfs");
    if (input === undefined) return;
    const isOn = input.value === "noblock" ? true : input.boolean();
    if (isOn === undefined) return;
    if (!isOn) return nameNeedless(input, "NixOS grows no file system by itself");
    input.mark("translated");
    setOption(draft, 'fileSystems."/".autoResize', true, input);
  },
};
