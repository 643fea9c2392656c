import { type RefusedKey, refused, refusedModule } from "./refused.ts";

const isFalse: NonNullable<RefusedKey["isSo"]> = (value) => value === false;
const overlays =
  "as its overlay under hardware.deviceTree.overlays in a module of your own; for a Raspberry Pi 4 nixos-hardware has hardware.raspberry-pi";
const console_ =
  "add `console=ttyS1,115200` (`ttyAMA0` on a Raspberry Pi 3 or 5) to boot.kernelParams under `firstlight: options`";

const serial: RefusedKey = {
  ...refused.anyOf(["true or false", "a mapping"], console_, isFalse),
  parts: {
    console: refused.flag(console_, isFalse),
    hardware: refused.flag(`say it ${overlays}`, isFalse),
  },
};

/** `rpi`: interfaces of a Raspberry Pi. */
export const raspberryPi = refusedModule({
  name: "raspberry_pi",
  rule:
    "The interfaces of a Raspberry Pi are part of its device tree, which NixOS takes from the kernel and from hardware.deviceTree, and not from " +
    "the config.txt that cloud-init edits. Each one that is asked for is named with its own way; what is false is so anyway.",
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
        serial,
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
