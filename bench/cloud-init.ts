import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { writeTree } from "#agent/datasources/images/make-images.ts";
import type { Case } from "./case.ts";

/** cloud-init beside firstlight, and in words what was measured of it or why it was not. */
export interface CloudInit {
  readonly cases: readonly Case[];
  readonly note: string;
  readonly close: () => void;
}

/**
 * Modules that change files and nothing else: no disks, no boot loader, no packages, no locales to
 * compile. The network is left alone as well.
 */
const settings = `datasource_list: [NoCloud]
network: { config: disabled }
users: [default]
cloud_init_modules: [write-files, set_hostname, users-groups]
cloud_config_modules: [timezone, runcmd]
cloud_final_modules: []
system_info:
  distro: debian
  default_user: { name: debian, lock_passwd: true, groups: [sudo], shell: /bin/bash }
`;

/** What only says which machine this is, from EC2's service at an address. */
const ec2Settings = (address: string) => `datasource_list: [Ec2]
datasource: { Ec2: { strict_id: false, metadata_urls: [${address}], max_wait: 5, timeout: 5 } }
network: { config: disabled }
users: []
cloud_init_modules: []
cloud_config_modules: []
cloud_final_modules: []
`;

/** The same of a seed. */
const seedSettings = ec2Settings("").replace(/^.*\n.*\n/, "datasource_list: [NoCloud]\n");

/** Where the program writes; in its namespace an empty file system each, but the copy of /etc. */
const emptied = ["/home", "/root", "/run", "/var/lib/cloud", "/var/log", "/var/mail", "/var/tmp"];

/** `$0`: the directory with its /etc and its seed; the stages as its units start them. */
const stages = (commands: readonly string[]) => `mount -n --bind "$0/etc" /etc
for place in ${emptied.join(" ")}; do
  [ -d $place ] && mount -n -t tmpfs none $place
done
mkdir -p /var/lib/cloud/seed
cp -r "$0/seed" /var/lib/cloud/seed/nocloud
${commands.map((command) => `${command}\n`).join("")}`;
const wholeBoot = stages([
  ...["cloud-init init --local", "cloud-init init", "cloud-init modules --mode=config"],
]);

/**
 * A first boot of cloud-init on a user-data, in namespaces of its own with a copy of /etc, so that it
 * does all that its modules do and the host stays as it is. Tried once: what did not come out as the
 * user-data asks is not measured.
 */
export function cloudInitCases(userData: string, ec2: string): CloudInit {
  if (!existsSync("/usr/bin/cloud-init")) {
    const note = "cloud-init is not installed here, so it was not measured.";
    return { cases: [], note, close: () => {} };
  }
  const home = mkdtempSync(path.join(tmpdir(), "firstlight-cloud-init-"));
  const imports: Case = {
    name: "cloud-init --version (its imports)",
    argv: () => ["cloud-init", "--version"],
    floor: "node -e 0",
  };
  const first: Case = {
    name: "cloud-init, first boot, less packages",
    argv: () => firstBoot(layOut(home, userData)),
    floor: "node -e 0",
  };
  const close = () => rmSync(home, { recursive: true, force: true });
  const fault = tryOnce(home, userData);
  if (fault !== undefined) {
    const note = `Of cloud-init only its imports were measured: a first boot of it ${fault}.`;
    return { cases: [imports], note, close };
  }
  const note = `cloud-init's first boot: init --local, init and modules --mode=config on the same user-data,
in a copy of /etc. It makes the users and the files, sets hostname and time zone, and writes the
script of runcmd; packages, locale and network are left out. \`boot --driver dry\` renders all of
it, and tries and commits it with a driver that changes no system.`;
  return { cases: [imports, first, ...discoveries(home, userData, ec2)], note, close };
}

/** Of its stages the one in which it reads the datasource, with nothing to do after it. */
function discoveries(home: string, userData: string, ec2: string): readonly Case[] {
  const layOutWith = (settings: string) => layOut(home, userData, settings);
  const knows = (id: string) =>
    `grep -q '"instance_id": "${id}"' /run/cloud-init/instance-data.json`;
  const onSeed = stages(["cloud-init init --local", knows("i-bench")]);
  const onEc2 = stages(["cloud-init init", knows("i-0123456789abcdef0")]);
  return [
    {
      name: "cloud-init reads NoCloud",
      argv: () => apart(["--net"], onSeed, layOutWith(seedSettings)),
      floor: "node -e 0",
    },
    {
      // The service is on this machine's loopback.
      name: "cloud-init reads EC2",
      argv: () => apart([], onEc2, layOutWith(ec2Settings(ec2))),
      floor: "node -e 0",
    },
  ];
}

/** A fresh machine for one run: a copy of /etc with our settings, and a seed. */
function layOut(home: string, userData: string, cloudConfig = settings): string {
  const directory = path.join(home, "run");
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory);
  const options = { recursive: true, verbatimSymlinks: true };
  cpSync("/etc", path.join(directory, "etc"), options);
  rmSync(path.join(directory, "etc/cloud/cloud.cfg.d"), { recursive: true, force: true });
  writeTree(directory, {
    "etc/cloud/cloud.cfg": cloudConfig,
    "seed/meta-data": "instance-id: i-bench\n",
    "seed/user-data": userData,
  });
  return directory;
}

function firstBoot(directory: string): readonly string[] {
  return apart(["--net"], wholeBoot, directory);
}

function apart(more: readonly string[], script: string, directory: string): readonly string[] {
  return ["unshare", "--mount", "--uts", "--ipc", ...more, "sh", "-ec", script, directory];
}

/** What is wrong with a first boot here; `undefined` where the user-data came true. */
function tryOnce(home: string, userData: string): string | undefined {
  if (process.getuid?.() !== 0) return "needs root";
  const directory = layOut(home, userData);
  const [file = "", ...args] = firstBoot(directory);
  const { status, stderr } = spawnSync(file, args, { encoding: "utf8", timeout: 60_000 });
  if (status !== 0) return `ended with ${status}: ${stderr.trim().slice(-200)}`;
  const has = (name: string, text: string) => {
    const at = path.join(directory, "etc", name);
    return existsSync(at) && readFileSync(at, "utf8").includes(text);
  };
  if (!has("motd", "hello")) return "did not write /etc/motd";
  if (!has("passwd", "\nalice:")) return "did not make the user";
  if (!has("hostname", "bench")) return "did not set the hostname";
  return has("timezone", "Europe/Zurich") ? undefined : "did not set the time zone";
}
