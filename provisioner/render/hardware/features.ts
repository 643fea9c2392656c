import type { Facts } from "#generated/provisioner/facts/facts.ts";
import { bool } from "#provisioner/nix-language/tree.ts";
import type { CompiledProfile } from "#provisioner/profiles/profile.ts";
import { type Assignment, assign } from "../assignment.ts";
import { computed } from "./computed.ts";

/** Options by what has to be there for them. */
const features: readonly (readonly [option: string, isThere: (facts: Facts) => boolean])[] = [
  // Firmware of the board and of its parts is offered, and none installed unattended; capsules need UEFI.
  ["services.fwupd.enable", ({ firmware }) => firmware.type === "uefi"],
  ["services.fprintd.enable", (facts) => facts.features.fingerprint === true],
  ["hardware.bluetooth.enable", (facts) => facts.features.bluetooth === true],
  ["hardware.sensor.iio.enable", (facts) => (facts.features.sensors ?? []).some(isForScreens)],
];

/**
 * Names of the kernel's sensors that a desktop asks: how the screen is held, and how bright it is around;
 * converters and meters of boards are none (Linux, `drivers/iio/accel`, `drivers/iio/light`, HID sensors).
 */
function isForScreens(name: string): boolean {
  return /^((accel|gyro|incli|magn)_3d|dev_rotation|(acpi-)?als|(bma|bmc|bmi|kx|lis|mma|mxc)[0-9a-z]+)$/.test(
    name,
  );
}

/**
 * Services for what sits in the machine, on bare metal: a device that is handed through to a guest is for
 * what runs there to ask for. What the profile says of one, whichever way, is not said here.
 */
export function renderFeatures(
  facts: Facts,
  profile: CompiledProfile | null,
): readonly Assignment[] {
  if (facts.virtualisation !== "none") return [];
  return features.flatMap(([option, isThere]) =>
    profile?.nixos.options[option] === undefined && isThere(facts)
      ? [assign(option.split("."), computed(bool(true)))]
      : [],
  );
}
