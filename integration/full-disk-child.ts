import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import path from "node:path";
import { Fault } from "#core/fault.ts";
import { type BuildPolicy, defaultBuildPolicy } from "#provisioner/system/build-policy.ts";
import { systemClient } from "#provisioner/system/client.ts";
import { openDriver } from "#provisioner/system/driver.ts";
import { builderOption, buildReason, smallSources } from "./build-sources.ts";
import { nixMachine } from "./nix-machine.ts";

/**
 * Builds on a machine whose Nix lies on a small disk, in a mount namespace of its own: run by
 * build.test.ts with `unshare --mount`, so that no mount is left on the host, whatever happens.
 * Prints what came of each build as JSON.
 */
const machine = await nixMachine({ teardown: () => {} }, { mountNix });
const disk = path.join(machine.root, "nix");
try {
  const writes = (kibibytes: number) =>
    builderOption(`/bin/dd if=/dev/zero of=$out bs=1024 count=${kibibytes} 2>&1`);
  const small: BuildPolicy = {
    ...defaultBuildPolicy,
    keepFree: { ...defaultBuildPolicy.keepFree, storeBytes: 0, files: 0 },
  };
  console.log(
    JSON.stringify({
      tooLarge: await build("too large", writes(64 * 1024), small),
      rootsAfterIt: roots(),
      // No root holds what was begun: it is garbage.
      collected: (await machine.run(["nix-store", "--gc"])).code,
      small: await build("small", writes(64), small),
      early: await build("early", "", defaultBuildPolicy),
    }),
  );
} finally {
  mount("umount", ["--lazy", disk]);
  machine.close();
}

function mountNix(directory: string): void {
  mount("mount", ["-n", "-t", "tmpfs", "-o", "size=24m", "tmpfs", directory]);
}

function mount(program: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program}: ${stderr}`);
}

async function build(name: string, option: string, policy: BuildPolicy): Promise<object> {
  const { storeFiles } = machine;
  const c = systemClient(openDriver(machine.io(), { driver: "nix", storeFiles, policy }));
  try {
    const { toplevel } = await c.build(smallSources(name, option), buildReason);
    return { toplevel };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { code: error.code, message: error.message };
  }
}

function roots(): readonly string[] {
  return readdirSync(path.join(machine.root, "nix/var/nix/gcroots/firstlight"));
}
