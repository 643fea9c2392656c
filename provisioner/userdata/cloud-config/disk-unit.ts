import { unitOfPath } from "#core/unit-of-path.ts";
import type { SecretRef, Unit } from "#generated/provisioner/spec/v1.ts";
import type { DiskLayout } from "./disk-layout.ts";
import type { NewFileSystem } from "./file-system.ts";
import { shellLine } from "./spec-command.ts";

export const unitName = "disk-setup.service";

/**
 * Nothing is written to what is not empty: blkid knows nothing on it (2), and its first MiB is zero. What is not
 * there is left for the next boot.
 */
const functions = `empty() {
  [ -e "$1" ] || { echo "$1 is not there"; return 1; }
  found=0
  blkid -p "$1" > /dev/null 2>&1 || found=$?
  [ $found -eq 2 ] && cmp -s -n 1048576 "$1" /dev/zero && return
  echo "$1 is not empty, and stays as it is"
  return 1
}
mebibytes() {
  bytes=$(blockdev --getsize64 "$1" 2> /dev/null || stat -c %s "$1")
  echo $((bytes / 1048576 - 2))
}
settle() {
  udevadm settle --timeout=30 2> /dev/null || true
}
`;

/** The script that the unit runs: disks first, then what stands on them. */
export function diskScript(
  layouts: readonly DiskLayout[],
  fileSystems: readonly NewFileSystem[],
): string {
  const steps = [
    ...layouts.map(partition),
    ...fileSystems.map(({ device, command }) => {
      return `if empty ${shellLine([device])}; then\n  ${command}\nfi\n`;
    }),
  ];
  return `set -e\n${functions}settle\n${steps.join("")}settle\n`;
}

/** Shares are reckoned when the disk is there; the last part takes what is left. */
function partition({ disk, table, parts }: DiskLayout): string {
  const device = shellLine([disk]);
  const lines = parts.map(({ percent, type }, index) => {
    const isLast = index === parts.length - 1;
    return `,${isLast ? "" : `$((total * ${percent} / 100))M`},${type}`;
  });
  return `if empty ${device}; then
  total=$(mebibytes ${device})
  printf '%s\\n' 'label: ${table}' ${lines.map((line) => `"${line}"`).join(" ")} | sfdisk --quiet ${device}
  settle
fi
`;
}

/**
 * Before anything is mounted, and again where a switch has changed it. Its script is handed over as a secret, as every
 * command of a document is; where a TPM opens it, that has to be there.
 */
export function diskUnit(fileSystems: readonly NewFileSystem[], script: SecretRef): Unit {
  const swaps = fileSystems
    .filter(({ isSwap }) => isSwap)
    .map(({ device }) => unitOfPath(device, "swap"));
  const before = ["local-fs.target", "swap.target", ...swaps, "shutdown.target"];
  const text = `[Unit]
Description=Partition disks that are empty, and make file systems where there is nothing
DefaultDependencies=no
After=systemd-udevd.service systemd-udev-trigger.service tpm2.target
Before=${before.join(" ")}
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
Environment=PATH=/run/current-system/sw/bin
ExecStart=/bin/sh %d/${script.secretRef}
`;
  return { text, wantedBy: ["multi-user.target"], credentials: [script] };
}
