import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { qemuQ35 } from "#integration/machines/qemu-q35.ts";
import { writeMachine } from "#integration/machines/write-machine.ts";
import { writeSeed } from "#integration/machines/write-seed.ts";

// Last part of `npm run build`: a first boot of a machine that is a directory, so that what V8 compiles
// on the way lies beside the bundle. It is a cache: V8 takes it only where version, processor and text
// are the same, and compiles anew elsewhere.

const dist = join(import.meta.dirname, "../dist");
const cache = join(dist, "compile-cache");
/** Of a boot that takes half a second. */
const bootMs = 60_000;
const root = mkdtempSync(join(tmpdir(), "firstlight-build-"));

const userData = `#cloud-config
hostname: build
timezone: Europe/Zurich
locale: en_US.UTF-8
packages: [git]
users:
  - default
  - { name: alice, groups: [wheel], shell: /bin/bash }
write_files: [{ path: /etc/motd, content: text }]
runcmd: [[systemctl, --version]]
firstlight: { health: { passes: 1, interval: 1ms, timeout: 1s } }
`;

try {
  rmSync(cache, { recursive: true, force: true });
  mkdirSync(cache);
  writeMachine(root, qemuQ35);
  writeSeed(root, "build", userData);
  for (let boots = 0; boots < 3; boots++) boot();
  shareWithRoot();
} finally {
  rmSync(root, { recursive: true, force: true });
}

function boot(): void {
  const argv = [join(dist, "firstlight.js"), "boot", "-q", "--root", root, "--driver", "dry"];
  const { status, stderr } = spawnSync(process.execPath, argv, {
    encoding: "utf8",
    timeout: bootMs,
  });
  if (status === 0) return;
  const how = status === null ? `did not end within ${bootMs} ms` : `ended with ${status}`;
  throw new Error(`build: a boot of the bundle ${how}: ${stderr}`);
}

/** Node names the directory after the user, and a boot is root's whoever made the bundle. */
function shareWithRoot(): void {
  const [made = ""] = readdirSync(cache);
  const ofRoot = made.replace(/-[0-9]+$/, "-0");
  if (made !== "" && !existsSync(join(cache, ofRoot))) symlinkSync(made, join(cache, ofRoot));
}
