import { existsSync } from "node:fs";
import type { Case } from "./case.ts";

/**
 * cloud-init as the distribution has it, on a seed, in namespaces of its own: what it writes lies on
 * file systems in memory, and its modules are those that have something to do for the seed. Argument: the
 * seed's directory.
 */
const onSeed = `set -e
work=$(mktemp -d)
mount -n -t tmpfs tmpfs "$work"
mkdir "$work/upper" "$work/work"
mount -n -t overlay overlay -o "lowerdir=/etc,upperdir=$work/upper,workdir=$work/work" /etc
for place in /var/lib/cloud /var/log /run /home /root; do
  mkdir -p "$place"
  mount -n -t tmpfs tmpfs "$place"
done
mkdir -p /var/lib/cloud/seed
cp -r "$0" /var/lib/cloud/seed/nocloud
rm -f /etc/cloud/cloud.cfg.d/*
cat > /etc/cloud/cloud.cfg <<X
datasource_list: [NoCloud]
users: [default]
cloud_init_modules: [bootcmd, write-files, set_hostname, users-groups]
cloud_config_modules: [timezone]
system_info:
  distro: debian
  default_user: { name: debian, lock_passwd: true }
X
cloud-init init --local
cloud-init init
cloud-init modules --mode=config
`;

/** cloud-init's part of a first boot on the same seed; nothing where it is not, or may not be, run. */
export function cloudInitCases(seed: string): readonly Case[] {
  if (!existsSync("/usr/bin/cloud-init")) return [];
  const imports: Case = {
    name: "cloud-init --version (its imports)",
    argv: () => ["cloud-init", "--version"],
    floor: "node -e 0",
  };
  if (process.geteuid?.() !== 0) return [imports];
  const apart = ["unshare", "--mount", "--uts", "--net", "--propagation", "private"];
  return [
    imports,
    {
      name: "cloud-init, first (3 of its 4 stages)",
      argv: () => [...apart, "sh", "-c", onSeed, seed],
      floor: "node -e 0",
    },
  ];
}
