import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { qemuQ35 } from "#integration/machines/qemu-q35.ts";
import { writeMachine } from "#integration/machines/write-machine.ts";
import { writeSeed } from "#integration/machines/write-seed.ts";

// Last part of `npm run build`: boots of a machine that is a directory, and its daemon for a moment, so that
// what V8 compiles on the way lies beside the bundle. It is a cache: V8 takes it only where its version and flags are
// the same, and compiles anew elsewhere.

const entry = join(import.meta.dirname, "../dist/firstlight.js");
const keep = pathToFileURL(join(import.meta.dirname, "keep-compiled.ts")).href;
/** Where no broker listens: the daemon goes as far as it can without one. */
const nobodysPort = 1;
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
  writeSettings({});
  // A first boot, one with nothing to do, and who looks afterwards.
  for (const command of ["boot", "boot", "status"]) run(command);
  writeSettings({ report: { node: "build", mqtt: { host: "127.0.0.1", port: nobodysPort } } });
  await runDaemon();
} finally {
  rmSync(root, { recursive: true, force: true });
}

function writeSettings(more: object): void {
  const settings = { stateVersion: "25.11", ...more };
  writeFileSync(join(root, "etc/firstlight/settings.json"), `${JSON.stringify(settings)}\n`);
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

/** Until it has looked for its broker and found none; then it ends as on a node. */
async function runDaemon(): Promise<void> {
  const argv = ["--import", keep, entry, "agent", "--root", root];
  const daemon = spawn(process.execPath, argv, { stdio: ["ignore", "ignore", "pipe"] });
  const late = setTimeout(() => daemon.kill("SIGKILL"), commandMs);
  let said = "";
  daemon.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
    if (said.includes("link.down")) daemon.kill("SIGTERM");
  });
  const [status, signal] = await once(daemon, "close");
  clearTimeout(late);
  if (status !== 0) {
    throw new Error(`build: agent of the bundle ended with ${status ?? signal}: ${said}`);
  }
}
