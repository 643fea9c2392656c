import { wordHint } from "#core/word-hint.ts";
import type { Input } from "../input.ts";
import type { CloudConfigModule } from "./module.ts";
import { nameNeedless, nameRefused } from "./refused.ts";
import { addCommand, addPackages } from "./spec-command.ts";
import { setOption } from "./spec-option.ts";

const modes = ["auto", "growpart", "gpart", "off"];
const otherDevice =
  "name the device of a partition, as /dev/vdb1; NixOS grows the partition of / alone by its place";
/** A disk, and the number of its partition. */
const partition = /^(\/dev\/(?:[a-z]+|(?:nvme[0-9]+n[0-9]+|mmcblk[0-9]+)(?=p)))p?([0-9]{1,3})$/;

/** `growpart`: the partition of the root file system is grown to its disk. */
export const growpart: CloudConfigModule = {
  name: "growpart",
  keys: ["growpart"],
  rule:
    "The partition of / is grown at boot (boot.growPartition), with whichever program NixOS has for it; what cloud-init does " +
    "without being asked NixOS does where its image says so, or this key. With `mode: off` it stays as the image " +
    "says. Other partitions among `devices`, named by their kernel names, are grown at each boot by `growpart` of cloud-utils; the file systems on " +
    "them are not, as with cloud-init.",
  example: "growpart:\n  mode: auto\n  devices: [/]\n",
  translate({ config, draft }) {
    const input = config.get("growpart");
    if (input === undefined) return;
    if (input.value === false) return nameNeedless(input, "NixOS grows nothing by itself");
    if (!input.isMapping()) return input.expected("a mapping with `mode`");
    const isOn = readMode(input.get("mode"));
    input.get("ignore_growroot_disabled")?.boolean();
    const devices = readDevices(input.get("devices"));
    if (isOn === false) return nameNeedless(input, "NixOS grows nothing by itself; remove the key");
    if (isOn === undefined) return;
    if (input.entries().length === 0) input.mark("translated");
    if (devices.isRoot) setOption(draft, "boot.growPartition", true, input);
    if (devices.lines.length === 0) return;
    addPackages(draft, input, ["cloud-utils"]);
    addCommand(draft, input, {
      name: "growpart",
      when: "early",
      frequency: "always",
      lines: devices.lines,
    });
  },
};

function readMode(input: Input | undefined): boolean | undefined {
  if (input === undefined) return true;
  if (input.value === false) {
    input.mark("translated");
    return false;
  }
  const mode = input.text();
  if (mode === undefined) return undefined;
  if (modes.includes(mode)) return mode !== "off";
  input.unsupported({
    code: "cloud-config/unknown-value",
    message: "unknown mode",
    hint: wordHint(input.value, modes),
  });
  return undefined;
}

interface Devices {
  readonly isRoot: boolean;
  /** What grows the others; the program says by 1 that there is nothing to grow. */
  readonly lines: readonly string[];
}

function readDevices(input: Input | undefined): Devices {
  if (input === undefined) return { isRoot: true, lines: [] };
  const lines: string[] = [];
  let isRoot = false;
  for (const item of input.items()) {
    const device = item.text();
    const [, disk, number] = partition.exec(device ?? "") ?? [];
    if (device === "/") isRoot = true;
    else if (disk !== undefined) lines.push(`growpart ${disk} ${number} || [ $? -eq 1 ]`);
    else if (device !== undefined) nameRefused(item, otherDevice);
  }
  return { isRoot, lines };
}
