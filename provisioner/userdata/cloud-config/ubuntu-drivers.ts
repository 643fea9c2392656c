import {
  nvidiaDriver,
  nvidiaPersistenced,
  nvidiaSettings,
} from "#provisioner/render/unfree-packages.ts";
import type { CloudConfigModule } from "./module.ts";
import { nameNeedless } from "./refused.ts";
import { addUnfree, setOption } from "./spec-option.ts";

/** `drivers`: those of NVIDIA. */
export const ubuntuDrivers: CloudConfigModule = {
  name: "ubuntu_drivers",
  keys: ["drivers"],
  rule:
    "With its licence accepted, NVIDIA's driver is installed, in the branch and with the kernel modules that the machine's card takes " +
    "([rendered-hardware.md](rendered-hardware.md#graphics)). It is not free, so that it is put on the list of the packages that may be built all the same (`unfree`), by its names " +
    "and nothing else. A `version` is refused: the driver is that of the kernel's package set.",
  example: "drivers:\n  nvidia:\n    license-accepted: true\n",
  translate({ config, draft }) {
    const input = config.get("drivers");
    if (input === undefined) return;
    if (!input.isMapping()) return input.expected("a mapping with `nvidia`");
    if (input.entries().length === 0) input.mark("translated");
    const nvidia = input.get("nvidia");
    if (nvidia === undefined) return;
    if (!nvidia.isMapping()) return nvidia.expected("a mapping with `license-accepted`");
    const accepted = nvidia.get("license-accepted");
    const isAccepted = accepted?.boolean();
    const version = nvidia.get("version");
    if (version?.text() !== undefined) {
      version.unsupported({
        code: "cloud-config/unsupported-key",
        message: "which version of the driver is installed is decided by the pinned nixpkgs",
        hint: "set hardware.nvidia.package in a module of your own, as to config.boot.kernelPackages.nvidiaPackages.production",
      });
    }
    if (accepted === undefined) {
      return nvidia.expected("a mapping with `license-accepted`", undefined, "one without");
    }
    if (isAccepted === false) return nameNeedless(accepted, "without it nothing is installed");
    if (isAccepted === undefined) return;
    setOption(draft, "services.xserver.videoDrivers", ["nvidia"], accepted);
    addUnfree(draft, accepted, [nvidiaDriver, nvidiaSettings, nvidiaPersistenced]);
  },
};
