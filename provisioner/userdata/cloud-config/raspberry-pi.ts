import type { Input } from "../input.ts";
import type { CloudConfigModule } from "./module.ts";
import { type RefusedKey, refused, refusedModule } from "./refused.ts";
import { setOption } from "./spec-option.ts";

const isFalse: NonNullable<RefusedKey["isSo"]> = (value) => value === false;
const overlays =
  "as its overlay under hardware.deviceTree.overlays in a module of your own; for a Raspberry Pi 4 nixos-hardware has hardware.raspberry-pi";
/** The kernel takes those that the board has; the last one stays the console that people see. */
const consoles = [
  "console=ttyAMA0,115200",
  "console=ttyS0,115200",
  "console=ttyS1,115200",
  "console=tty0",
];

const others = refusedModule({
  name: "raspberry_pi",
  rule:
    "The interfaces of a Raspberry Pi are part of its device tree, which NixOS takes from the kernel and from hardware.deviceTree, and not from " +
    "the config.txt that cloud-init edits. Each one that is asked for is named with its own way, but for the serial port: it is there, and its console is named to the kernel. What is false is so anyway.",
  example: `rpi:
  interfaces:
    i2c: true
    spi: false
    serial: {console: true, hardware: false}
`,
  keys: {
    rpi: refused.mapping("the hardware profile of the Raspberry Pi has what NixOS needs of it", {
      interfaces: refused.mapping(`say them ${overlays}`, {
        spi: refused.flag(`say it ${overlays}`, isFalse),
        i2c: refused.flag(
          `say it ${overlays} (hardware.raspberry-pi."4".i2c1.enable), and set hardware.i2c.enable under \`firstlight: options\``,
          isFalse,
        ),
        onewire: refused.flag(`say it ${overlays}`, isFalse),
        remote_gpio: refused.flag(
          "set services.pigpiod.enable under `firstlight: options`",
          isFalse,
        ),
        ssh: refused.flag("use `firstlight: sshd`", isFalse),
      }),
      enable_usb_gadget: refused.flag(
        `say it ${overlays} (dwc2 as a peripheral), and add g_ether to boot.kernelModules under \`firstlight: options\``,
        isFalse,
      ),
    }),
  },
});

const { isRefused: _, ...about } = others;

/** `rpi`: interfaces of a Raspberry Pi. */
export const raspberryPi: CloudConfigModule = {
  ...about,
  translate(module) {
    others.translate(module);
    const serial = module.config.get("rpi")?.get("interfaces")?.get("serial");
    if (serial !== undefined && isConsole(serial)) {
      setOption(module.draft, "boot.kernelParams", consoles, serial);
    }
  },
};

/** The port itself is there on NixOS, also where it is not asked for. */
function isConsole(serial: Input): boolean {
  if (!serial.isMapping()) return serial.boolean() === true;
  if (serial.entries().length === 0) serial.mark("translated");
  serial.get("hardware")?.boolean();
  return serial.get("console")?.boolean() === true;
}
