import type { Input } from "../input.ts";
import { formOfPackage } from "./package-forms.ts";
import { packageAttributes } from "./package-names.ts";
import {
  serviceOptions,
  servicesAlone,
  servicesOtherwise,
  serviceTemplates,
} from "./package-services.ts";

const tables = [
  ...[packageAttributes, serviceOptions, serviceTemplates],
  ...[servicesAlone, servicesOtherwise],
];
const attributes: ReadonlySet<unknown> = new Set(Object.values(packageAttributes).flat());

/** Names that nixpkgs has as everybody has them. */
const common: ReadonlySet<string> = new Set([
  ...["bash", "bash-completion", "bc", "bind", "btrfs-progs", "bzip2", "cryptsetup", "curl"],
  ...["diffutils", "dosfstools", "e2fsprogs", "ethtool", "file", "gawk", "git", "gzip", "htop"],
  ...["iftop", "iotop", "iproute2", "iptables", "iputils", "jq", "less", "lsof", "lvm2", "mdadm"],
  ...["mtr", "nano", "nfs-utils", "nftables", "nmap", "openssl", "parted", "pciutils", "perl"],
  ...["python3", "rsync", "screen", "socat", "strace", "sysstat", "tcpdump", "tmux", "tree"],
  ...["unzip", "usbutils", "vim", "wget", "which", "xfsprogs", "xz", "zip", "zsh", "zstd"],
]);

/**
 * Leaves out of `packages` what vendor-data asks for and no table knows. One name that nixpkgs does not
 * have stops the whole change, and a cloud names its own agents there.
 */
export function leaveOutVendorPackages(
  packages: Input | undefined,
  vendorDocuments: readonly string[],
): void {
  if (packages === undefined || vendorDocuments.length === 0) return;
  for (const item of packages.isList() ? packages.parts() : [packages]) {
    if (item.isMapping()) {
      leaveOutVendorPackages(item.get("apt"), vendorDocuments);
      continue;
    }
    const name = item.isList() ? item.parts()[0]?.value : item.value;
    if (typeof name !== "string" || isKnown(name)) continue;
    if (!vendorDocuments.includes(item.origin().document)) continue;
    item.unsupported({
      code: "cloud-config/package-of-vendor",
      message: "it is not known whether nixpkgs has this package; of vendor-data it is left out",
      hint: "name it under `packages` of the user-data, where it has to be there",
    });
    item.countAs(undefined);
  }
}

/** A name with what apt takes after it: a version, or a release. */
function isKnown(written: string): boolean {
  const name = written.replace(/[=/].*$/s, "");
  if (
    common.has(name) ||
    attributes.has(name) ||
    tables.some((table) => Object.hasOwn(table, name))
  )
    return true;
  const form = formOfPackage(name);
  return form !== undefined && form.kind !== "guessed";
}
