// Runs before npm scripts, on whatever Node (18 or newer) the machine has and with nothing
// installed: brings the dependencies, Node 24 among them, when the lock file changed since the
// last time. With --test-tools also the programs that tests drive, where apt can bring them, and with
// --vm-tools those of the virtual machine too.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const repository = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(repository, "node_modules");
const record = join(modules, ".firstlight-lock-hash");

/** Debian packages by the program, or the file, that shows they are there. */
const testTools = {
  "nix-build": "nix-bin",
  mosquitto: "mosquitto",
  mosquitto_pub: "mosquitto-clients",
  xorriso: "xorriso",
  genisoimage: "genisoimage",
  "mkfs.vfat": "dosfstools",
  mcopy: "mtools",
  "cloud-localds": "cloud-image-utils",
  "systemd-creds": "systemd",
  "grub-editenv": "grub-common",
  "systemd-nspawn": "systemd-container",
  mmdebstrap: "mmdebstrap",
  ip: "iproute2",
  nft: "nftables",
  iptables: "iptables",
  losetup: "mount",
  "mkfs.ext4": "e2fsprogs",
  perl: "perl-base",
  setpriv: "util-linux",
  ssh: "openssh-client",
  age: "age",
  visudo: "sudo",
  doas: "opendoas",
  sfdisk: "fdisk",
  sgdisk: "gdisk",
  "systemd-repart": "systemd",
  cryptsetup: "cryptsetup-bin",
  "mkfs.btrfs": "btrfs-progs",
  "mkfs.xfs": "xfsprogs",
  nmcli: "network-manager",
  envsubst: "gettext-base",
  swtpm: "swtpm",
  [postgresServer()]: "postgresql",
  ...libraries({
    "libtss2-esys.so.0": "libtss2-esys-3.0.2-0",
    "libtss2-rc.so.0": "libtss2-rc0",
    "libtss2-mu.so.0": "libtss2-mu0",
    "libtss2-tcti-swtpm.so.0": "libtss2-tcti-swtpm0",
  }),
};

const vmTools = {
  "qemu-system-x86_64": "qemu-system-x86",
  "qemu-img": "qemu-utils",
  "grub-mkimage": "grub-common",
  "/usr/lib/grub/i386-pc/boot.img": "grub-pc-bin",
  "/usr/share/OVMF/OVMF_CODE_4M.fd": "ovmf",
  extlinux: "extlinux",
  sfdisk: "fdisk",
};

const forVm = process.argv.includes("--vm-tools");
installDependencies();
if (forVm || process.argv.includes("--test-tools")) installTestTools();

function installDependencies() {
  const lock = readFileSync(join(repository, "package-lock.json"));
  const digest = createHash("sha256").update(lock).digest("hex");
  if (existsSync(record) && readFileSync(record, "utf8").trim() === digest) return;
  console.error("firstlight: installing dependencies (npm ci)");
  run("npm", ["ci", "--loglevel=error"], { cwd: repository, env: withoutOwnPrograms() });
  writeFileSync(record, `${digest}\n`);
}

/** By the file that each is, where Debian has it on this machine. */
function libraries(packages) {
  const machine = { x64: "x86_64", arm64: "aarch64" }[process.arch] ?? process.arch;
  const entries = Object.entries(packages);
  return Object.fromEntries(
    entries.map(([name, each]) => [`/usr/lib/${machine}-linux-gnu/${name}`, each]),
  );
}

/** Debian has a directory for each version, and one for the clients alone. */
function postgresServer() {
  const directory = "/usr/lib/postgresql";
  const versions = existsSync(directory) ? readdirSync(directory) : [];
  const servers = versions.map((version) => `${directory}/${version}/bin/initdb`);
  return servers.find((each) => existsSync(each)) ?? `${directory}/VERSION/bin/initdb`;
}

/** The environment without node_modules/.bin on the PATH: npm must not run on the Node it replaces. */
function withoutOwnPrograms() {
  const path = (process.env.PATH ?? "").split(delimiter).filter((dir) => !dir.startsWith(modules));
  return { ...process.env, PATH: path.join(delimiter) };
}

function installTestTools() {
  if (missingPackages().length === 0) return;
  if (process.getuid?.() === 0 && isDebian()) {
    console.error(`firstlight: installing test tools: ${missingPackages().join(" ")}`);
    aptInstall(missingPackages());
  }
  const missing = missingPackages();
  if (missing.length === 0) return;
  const text = `these test tools are missing: ${missing.join(" ")}`;
  if (process.env.CI === "true") {
    console.error(`firstlight: ${text}; under CI=true every test must run`);
    process.exit(1);
  }
  console.error(`\nfirstlight: ${text}\nTESTS THAT NEED THEM WILL BE SKIPPED.`);
  console.error(`On Debian, as root: apt-get install ${missing.join(" ")}\n`);
}

/**
 * Debian starts a daemon as it is installed. Tests ask NetworkManager's programs only; the daemon would
 * take over the network of this machine. They start a PostgreSQL of their own.
 */
function keepDaemonsOff(packages) {
  const mask = (unit) => spawnSync("systemctl", ["mask", unit], { stdio: "ignore" });
  if (packages.includes("network-manager") && !existsSync("/usr/sbin/NetworkManager"))
    mask("NetworkManager.service");
  if (packages.includes("postgresql")) mask("postgresql.service");
}

function aptInstall(packages) {
  keepDaemonsOff(packages);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const options = ["-y", "-q", "-o", "DPkg::Lock::Timeout=300", "--no-install-recommends"];
  const install = ["install", ...options, ...packages];
  const first = spawnSync("apt-get", install, { env, stdio: ["ignore", "ignore", "ignore"] });
  if (first.status === 0) return;
  // Without package lists, or with old ones, only a second try after an update can work.
  const stdio = ["ignore", "ignore", "inherit"];
  spawnSync("apt-get", ["update", "-q", "-o", "DPkg::Lock::Timeout=300"], { env, stdio });
  spawnSync("apt-get", install, { env, stdio });
}

function missingPackages() {
  const missing = Object.entries({ ...testTools, ...(forVm ? vmTools : {}) })
    .filter(([program]) => !isProgram(program))
    .map(([, name]) => name);
  const yaml = spawnSync("python3", ["-c", "import yaml"], { stdio: "ignore" });
  return yaml.status === 0 ? missing : [...missing, "python3-yaml"];
}

function isProgram(name) {
  if (name.startsWith("/")) return existsSync(name);
  const directories = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return directories.some((directory) => {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function isDebian() {
  if (!existsSync("/etc/os-release")) return false;
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync("/etc/os-release", "utf8"));
}

function run(program, args, options) {
  // stdout belongs to the script that follows.
  const result = spawnSync(program, args, { stdio: ["ignore", 2, 2], ...options });
  if (result.status === 0) return;
  const reason = result.error?.message ?? `it ended with ${result.status ?? result.signal}`;
  console.error(`firstlight: ${program} ${args.join(" ")} failed: ${reason}`);
  process.exit(result.status || 1);
}
