import type { Spec } from "#generated/provisioner/spec/v1.ts";
import {
  attrs,
  bind,
  bool,
  call,
  int,
  join,
  list,
  type NixExpr,
  ref,
  select,
  str,
} from "#provisioner/nix-language/tree.ts";
import { type Assignment, addFinding, assign, type Concern } from "./assignment.ts";
import type { FoundFileSystem, Platform } from "./base.ts";
import { mountPlace } from "./mount-order.ts";

/** File systems, swap and boot loader as they were found, where no profile knows better. */
export function renderPlatform(platform: Platform | null, spec: Spec): readonly Assignment[] {
  if (platform === null) return [];
  const swaps = platform.swaps
    .filter((device) => !spec.swap?.some((each) => each.device === device))
    .map((device) => attrs([bind("device", str(device))]));
  const said = new Set((spec.mounts ?? []).map((each) => mountPlace(each.path)));
  const found = platform.fileSystems.filter((each) => !said.has(mountPlace(each.path)));
  return [
    ...found.map((each) => assign(["fileSystems", each.path], fileSystem(each))),
    ...(swaps.length === 0 ? [] : [assign(["swapDevices"], list(swaps))]),
    ...renderBootLoader(platform),
  ];
}

/** Weaker than any default that a module has for a device, its own `label` for one; stronger than none. */
const asFound = 1250;

/**
 * Each of its settings gives way by itself: what somebody says of it otherwise (`autoResize`) would take the place of
 * all of it. Its options are those of its device, and go with that; they stand beside those of NixOS
 * (`x-initrd.mount`) and of the owner, which a default would give way to whole.
 */
function fileSystem({ path, device, type, options }: FoundFileSystem): NixExpr {
  const isThere = join("==", [select(ref("config"), ["fileSystems", path, "device"]), str(device)]);
  const weak = (value: string) => call(ref("lib", "mkOverride"), int(asFound), str(value));
  const found = list(options.map(str));
  return attrs([
    bind("device", weak(device)),
    bind("fsType", weak(type)),
    ...(options.length === 0 ? [] : [bind("options", call(ref("lib", "mkIf"), isThere, found))]),
  ]);
}

/** Names what is mounted now, is not part of the system, and is not said by the spec either. */
export function nameLeftOut(concern: Concern): void {
  const { mounts = [], swap = [] } = concern.spec;
  const said = new Set([...mounts.map(({ path }) => path), ...swap.map(({ device }) => device)]);
  for (const { path, why } of concern.base.platform?.left ?? []) {
    if (said.has(path)) continue;
    const message = `${path} is in use now and not part of the system: it ${why}`;
    const hint = "say it in `mounts` or `swap`, or in local.nix, where it is wanted";
    addFinding(concern, ["mounts"], "warning", "render/mount-left-out", message, hint);
  }
}

function renderBootLoader({ bootLoader, esp }: Platform): readonly Assignment[] {
  const set = (path: readonly string[], value: NixExpr) =>
    assign(["boot", "loader", ...path], fallback(value));
  const efi = [
    // Of some boards nixos-hardware knows, as a default, that theirs cannot be written.
    assign(
      ["boot", "loader", "efi", "canTouchEfiVariables"],
      call(ref("lib", "mkOverride"), int(1100), bool(true)),
    ),
    ...(esp === null || esp === "/boot" ? [] : [set(["efi", "efiSysMountPoint"], str(esp))]),
  ];
  if (bootLoader === "systemd-boot") {
    return [set(["systemd-boot", "enable"], bool(true)), ...efi];
  }
  if (bootLoader === "extlinux") {
    return [
      set(["grub", "enable"], bool(false)),
      set(["generic-extlinux-compatible", "enable"], bool(true)),
    ];
  }
  const device = set(["grub", "device"], str(bootLoader.grub));
  return bootLoader.grub === "nodev"
    ? [device, set(["grub", "efiSupport"], bool(true)), ...efi]
    : [device];
}

/** What is found gives way to what somebody says. */
export function fallback(value: NixExpr): NixExpr {
  return call(ref("lib", "mkDefault"), value);
}
