import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { qemuQ35 } from "#integration/machines/qemu-q35.ts";
import { writeMachine } from "#integration/machines/write-machine.ts";
import { type NixMachine, nixMachine, nixModes } from "#integration/nix-machine.ts";
import type { Case } from "./case.ts";

const bundle = path.join(import.meta.dirname, "../dist/firstlight.js");

const userData = `#cloud-config
hostname: bench
timezone: Europe/Zurich
packages: []
write_files:
  - { path: /etc/motd, content: "hello\\n" }
firstlight:
  health: { passes: 1, interval: 1ms, timeout: 1s }
`;

/**
 * What a careful person types for the same change, with the configuration that firstlight has rendered
 * before: evaluate and build, look, try, and make it the default; what must survive a power cut is
 * written to the disk.
 */
const byHand = `set -e
system=$(nix-build '<nixpkgs/nixos>' -A config.system.build.toplevel -I "nixos-config=$1" --no-out-link --option substitute false 2>/dev/null)
sync -f /nix/store
"$system/bin/switch-to-configuration" dry-activate
"$system/bin/switch-to-configuration" test
nix-env -p /nix/var/nix/profiles/system --set "$system"
sync -f /nix/store
"$system/bin/switch-to-configuration" boot
for place in /boot /boot/efi /boot/firmware /efi; do
  if [ -d "$2$place" ]; then sync -f "$2$place"; fi
done
`;

/** Cases on real Nix and the stand-in for nixpkgs; none where there is no root or no Nix. */
export async function systemCases(): Promise<{
  readonly cases: readonly Case[];
  readonly close: () => void;
}> {
  if (!nixModes().includes("namespace")) return { cases: [], close: () => {} };
  const machine = await nixMachine({ teardown: () => {} }, { mode: "namespace" });
  const { root } = machine;
  writeImage(machine);
  const untouched = machine.snapshot();
  const boot = () => machine.command([process.execPath, bundle, "boot", "-q", "--root", root]);
  run(machine, boot());
  const configuration = keepSources(root, path.dirname(root));
  const booted = machine.snapshot();
  const by = (snapshot: string, argv: () => readonly string[]) => () => {
    machine.restore(snapshot);
    return argv();
  };
  const { env } = machine;
  return {
    close: machine.close,
    cases: [
      {
        name: "a first system by hand",
        env,
        argv: by(untouched, () =>
          machine.command(["bash", "-c", byHand, "bash", configuration, root]),
        ),
      },
      {
        name: "boot on Nix, first",
        env,
        argv: by(untouched, boot),
        floor: "a first system by hand",
      },
      { name: "boot on Nix, nothing to do", env, argv: by(booted, boot), floor: "node -e 0" },
    ],
  };
}

/** A machine as its image leaves it, with a seed. */
function writeImage({ root }: NixMachine): void {
  writeMachine(root, qemuQ35);
  const seed = path.join(root, "var/lib/cloud/seed/nocloud");
  mkdirSync(seed, { recursive: true });
  writeFileSync(path.join(seed, "meta-data"), "instance-id: i-bench\n");
  writeFileSync(path.join(seed, "user-data"), userData);
  mkdirSync(path.join(root, "etc/firstlight"), { recursive: true });
  writeFileSync(path.join(root, "etc/firstlight/settings.json"), '{ "stateVersion": "25.11" }');
}

/** The rendered configuration, beside the machine. */
function keepSources(root: string, home: string): string {
  const sources = path.join(root, "var/lib/firstlight/sources");
  const [digest = ""] = readdirSync(sources);
  const kept = path.join(home, "sources");
  rmSync(kept, { recursive: true, force: true });
  cpSync(path.join(sources, digest), kept, { recursive: true });
  return path.join(kept, "configuration.nix");
}

function run({ env }: NixMachine, [file = "", ...args]: readonly string[]): void {
  const { status, stderr, stdout } = spawnSync(file, args, {
    env: { ...process.env, ...env },
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${args.join(" ")}: ended with ${status}: ${stdout}${stderr}`);
}
