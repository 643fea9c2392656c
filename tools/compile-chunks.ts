import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { qemuQ35 } from "#integration/machines/qemu-q35.ts";
import { writeMachine } from "#integration/machines/write-machine.ts";
import { writeSeed } from "#integration/machines/write-seed.ts";

// Last part of `npm run build`: boots of a machine that is a directory, so that what V8 compiles on
// the way lies beside the bundle. It is a cache: V8 takes it only where its version and flags are
// the same, and compiles anew elsewhere.

const entry = join(import.meta.dirname, "../dist/firstlight.js");
const keep = pathToFileURL(join(import.meta.dirname, "keep-compiled.ts")).href;
/** Of a command that takes half a second. */
const commandMs = 60_000;
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
  writeMachine(root, qemuQ35);
  writeSeed(root, "build", userData);
  mkdirSync(join(root, "etc/firstlight"), { recursive: true });
  writeFileSync(join(root, "etc/firstlight/settings.json"), '{ "stateVersion": "25.11" }\n');
  // A first boot, one with nothing to do, and who looks afterwards.
  for (const command of ["boot", "boot", "status"]) run(command);
} finally {
  rmSync(root, { recursive: true, force: true });
}

function run(command: string): void {
  const options = command === "boot" ? ["-q", "--driver", "dry"] : [];
  const argv = ["--import", keep, entry, command, "--root", root, ...options];
  const { status, stderr } = spawnSync(process.execPath, argv, {
    encoding: "utf8",
    timeout: commandMs,
  });
  if (status === 0) return;
  const how = status === null ? `did not end within ${commandMs} ms` : `ended with ${status}`;
  throw new Error(`build: ${command} of the bundle ${how}: ${stderr}`);
}
