import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { addDisk } from "#agent/datasources/fake-machine.ts";
import { makeFat, makeIso, writeTree } from "#agent/datasources/images/make-images.ts";
import { cached } from "../boot/cache.ts";

/** What a machine is told by before any network is up. */
export interface FakeRoot {
  /** Fields of the firmware by the kernel's names: `sys_vendor`, `product_name`. */
  readonly dmi?: Readonly<Record<string, string>>;
  readonly commandLine?: string;
  /** As `systemd-detect-virt` says it. */
  readonly virtualisation?: string;
  /** Disks with a label, and a seed on them. */
  readonly disks?: readonly FakeSeedDisk[];
  /** Further files. */
  readonly files?: Readonly<Record<string, string>>;
  /** Programs that are installed, as scripts of sh. */
  readonly programs?: Readonly<Record<string, string>>;
}

/** A disk, as both detectors see it: by its bytes, and by what `blkid` says. */
export interface FakeSeedDisk {
  readonly name: string;
  readonly label: string;
  readonly type: "iso9660" | "vfat";
  /** Number of a FAT volume: `9796-932E`. */
  readonly serial?: string;
  /** What is on it; default: a seed of NoCloud. */
  readonly tree?: Readonly<Record<string, string>>;
}

/** cloud-init's own detector, unpacked and not installed. */
export async function dsIdentify(): Promise<string> {
  return path.join(await cloudInit(), "usr/lib/cloud-init/ds-identify");
}

/** The directory that Debian's cloud-init is unpacked in. */
export function cloudInit(): Promise<string> {
  return cached("ds-identify", ["bookworm"], async (staging) => {
    const options = {
      cwd: staging,
      stdio: ["ignore", "ignore", "inherit"] as const,
      timeout: 120_000,
    };
    execFileSync("apt-get", ["download", "-q", "-o", "DPkg::Lock::Timeout=300", "cloud-init"], {
      ...options,
      stdio: ["ignore", "ignore", "inherit"],
    });
    execFileSync("sh", ["-c", "dpkg-deb -x cloud-init_*.deb . && rm cloud-init_*.deb"], {
      ...options,
      stdio: ["ignore", "ignore", "inherit"],
    });
  });
}

const seed = { "meta-data": "instance-id: i\n", "user-data": "\n" };

/** Writes a machine for both detectors: kernel's files, and programs that say of it what they would. */
export function writeFakeRoot(root: string, machine: FakeRoot): void {
  const { dmi = {}, commandLine = "", virtualisation = "kvm", disks = [], files = {} } = machine;
  const { programs = {} } = machine;
  const lines = (values: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, `${value}\n`]));
  writeTree(path.join(root, "sys/class/dmi/id"), lines(dmi));
  writeTree(path.join(root, "proc"), { cmdline: `${commandLine}\n`, uptime: "1.0 1.0\n" });
  mkdirSync(path.join(root, "run/systemd"), { recursive: true });
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.join(root, path.dirname(file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  }
  for (const { name, label, type, serial, tree = seed } of disks) {
    const image = `${root}-${name}`;
    const extra = serial === undefined ? {} : { extra: ["-i", serial.replace("-", "")] };
    if (type === "vfat") makeFat(image, tree, { label, ...extra });
    else makeIso(image, writeTree(`${image}.tree`, tree), { label });
    addDisk(root, name, { image });
  }
  const blkid = disks.map(({ name, label, type, serial }) => {
    const number = serial === undefined ? "" : `UUID=${serial}\n`;
    return `DEVNAME=/dev/${name}\nLABEL=${label}\n${number}TYPE=${type}\n`;
  });
  const say = (text: string) => `#!/bin/sh\ncat <<'X'\n${text}\nX\n`;
  const all = {
    ...Object.fromEntries(
      Object.entries(programs).map(([name, script]) => [name, `#!/bin/sh\n${script}\n`]),
    ),
    blkid: say(blkid.join("\n")),
    "systemd-detect-virt": say(virtualisation),
  };
  for (const directory of ["bin", "usr/bin"]) writeTree(path.join(root, directory), all);
  for (const program of Object.keys(all))
    for (const directory of ["bin", "usr/bin"])
      chmodSync(path.join(root, directory, program), 0o755);
}

/** The datasources that cloud-init's detector finds on a machine, sorted. */
export function askDsIdentify(script: string, root: string): readonly string[] {
  const env = {
    ...{ PATH_ROOT: root, PATH: `${root}/bin:/usr/bin:/bin`, DEBUG_LEVEL: "0", LANG: "C" },
    ...{ PATH_ETC_CI_CFG: `${root}/none`, PATH_ETC_CI_CFG_D: `${root}/etc/cloud/cloud.cfg.d` },
    DI_LOG: "stderr",
  };
  try {
    execFileSync("sh", [script, "--force"], { env, stdio: "ignore", timeout: 30_000 });
  } catch {
    // 1: nothing was found; what it has found stands in the file.
  }
  let text: string;
  try {
    text = readFileSync(path.join(root, "run/cloud-init/cloud.cfg"), "utf8");
  } catch {
    return [];
  }
  const [, names = ""] = /datasource_list: \[(.*?)\]/.exec(text) ?? [];
  return names
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && name !== "None")
    .sort();
}
