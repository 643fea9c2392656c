import type { Input } from "../input.ts";
import type { CloudConfigModule } from "./module.ts";
import { nameNeedless, nameRefused } from "./refused.ts";
import { setOption } from "./spec-option.ts";

const modes = ["auto", "growpart", "gpart", "off"];
const otherDevice =
  "NixOS grows the partition of / alone; grow this one with `growpart` of cloud-utils from `bootcmd`";

/** `growpart`: the partition of the root file system is grown to its disk. */
export const growpart: CloudConfigModule = {
  name: "growpart",
  keys: ["growpart"],
  rule:
    "The partition of / is grown at boot (boot.growPartition), with whichever program NixOS has for it; what cloud-init does " +
    "without being asked NixOS does where its image says so, or this key. With `mode: off` it stays as the image " +
    "says. Of `devices` only / counts.",
  example: "growpart:\n  mode: auto\n  devices: [/]\n",
  translate({ config, draft }) {
    const input = config.get("growpart");
    if (input === undefined) return;
    if (input.value === false) return nameNeedless(input, "NixOS grows nothing by itself");
    if (!input.isMapping()) return input.expected("a mapping with `mode`");
    const isOn = readMode(input.get("mode"));
    input.get("ignore_growroot_disabled")?.boolean();
    const isRoot = readDevices(input.get("devices"));
    if (isOn === false) return nameNeedless(input, "NixOS grows nothing by itself; remove the key");
    if (isOn === undefined || !isRoot) return;
    if (input.entries().length === 0) input.mark("translated");
    setOption(draft, "boot.growPartition", true, input);
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
    message: `unknown mode; known are ${modes.join(", ")}`,
  });
  return undefined;
}

/** Whether / is among them. */
function readDevices(input: Input | undefined): boolean {
  if (input === undefined) return true;
  const items = typeof input.value === "string" ? [input] : input.items();
  let isRoot = false;
  for (const item of items) {
    const device = item.text();
    if (device === "/") isRoot = true;
    else if (device !== undefined) nameRefused(item, otherDevice);
  }
  return isRoot;
}
