import type { Finding } from "#core/finding.ts";
import type { Files } from "#core/io.ts";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import type { Base } from "./base.ts";
import { pinsFile } from "./decide-base.ts";

/** Says that the settings name a base from Git, where this instance stands on another one. */
export function tellOtherBase(isNamed: boolean, { git }: Base): readonly Finding[] {
  if (!isNamed || git !== undefined) return [];
  return [
    about("/etc/firstlight/settings.json", {
      level: "warning",
      code: "base/git-late",
      message:
        "`base` names a configuration in Git; what this instance stands on was decided before",
      hint: "reset the machine to decide anew, or remove `base` from the settings",
    }),
  ];
}

/** What a base that was not taken over whole lacks for the rendered system to be built and to boot. */
export function checkBase(files: Files, base: Base, spec: Spec): readonly Finding[] {
  if (base.kind === "adopted") return [];
  return [...checkRoot(base, spec), ...checkPackage(files, base)];
}

function checkRoot({ platform, local }: Base, { mounts, options }: Spec): readonly Finding[] {
  const isFound =
    platform === null ||
    [...platform.fileSystems, ...(mounts ?? [])].some(({ path }) => path === "/") ||
    Object.keys(options ?? {}).some((name) => name.startsWith("fileSystems")) ||
    local?.includes("fileSystems") === true;
  if (isFound) return [];
  return [
    about("/proc/self/mountinfo", {
      level: "warning",
      code: "base/no-root",
      message:
        "no root file system is mounted that NixOS could boot from; the rendered system has none",
      hint: 'write /etc/nixos/configuration.nix, which is taken over whole, or set fileSystems."/" under `firstlight: options`',
    }),
  ];
}

/** A tree of nixpkgs that can be looked at is known to have no such package; any other may. */
function checkPackage(files: Files, { pins, local }: Base): readonly Finding[] {
  if (pins.firstlight !== undefined || /services\.firstlight|overlays/.test(local ?? "")) return [];
  const packages = `${pins.nixpkgs?.storePath}/pkgs/by-name`;
  const isSeen = pins.nixpkgs !== undefined && files.stat(packages) !== undefined;
  if (isSeen && files.stat(`${packages}/fi/firstlight`) !== undefined) return [];
  return [
    about(pinsFile, {
      level: isSeen ? "warning" : "note",
      code: "base/no-package",
      message: `no package of firstlight is pinned, and nixpkgs ${isSeen ? "has" : "may have"} none`,
      hint: "pin it with `services.firstlight.pins.firstlight` in the image, or set services.firstlight.package in local.nix",
    }),
  ];
}

function about(
  document: string,
  said: Pick<Finding, "level" | "code" | "message" | "hint">,
): Finding {
  return { document, path: "", line: null, column: null, ...said };
}
