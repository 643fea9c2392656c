import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type FakeLoader, fakeFirmware } from "#provisioner/system/fake-firmware.ts";
import type { NixMachine } from "./nix-machine.ts";

/** The power of a machine: what happens between two boots. */
export interface Power {
  /** Off and on again: what the firmware finds is booted, and /run is empty. */
  cycle(): Promise<void>;
  /** The same in good order, if somebody asked for it; whether it was done. */
  restartIfAsked(): Promise<boolean>;
  /** The system that a start without any wish would boot. */
  bootDefault(): string | undefined;
}

/** The power of a machine that systemd manages, and this loader boots. */
export function power(machine: NixMachine, loader: FakeLoader): Power {
  const { root } = machine;
  const at = (file: string) => path.join(root, file);
  const asked = at("run/stand-in/restart");

  /** What the kernel and the first stage leave, and then what the system itself does. */
  async function boot(toplevel: string | undefined): Promise<void> {
    rmSync(at("run"), { recursive: true, force: true });
    mkdirSync(at("run/systemd/system"), { recursive: true });
    const id = at("proc/sys/kernel/random/boot_id");
    mkdirSync(path.dirname(id), { recursive: true });
    const [, number = "0"] =
      /^boot-([0-9]+)/.exec(existsSync(id) ? readFileSync(id, "utf8") : "") ?? [];
    writeFileSync(id, `boot-${Number(number) + 1}\n`);
    if (toplevel === undefined) return;
    symlinkSync(toplevel, at("run/booted-system"));
    const { code, stderr } = await machine.run([`${toplevel}/activate`]);
    if (code !== 0) throw new Error(`${toplevel}: it does not boot: ${stderr}`);
  }

  return {
    cycle: () => boot(fakeFirmware(root, loader).powerOn()),
    bootDefault: () => fakeFirmware(root, loader).bootDefault(),
    async restartIfAsked() {
      if (!existsSync(asked)) return false;
      await boot(fakeFirmware(root, loader).powerOn());
      return true;
    },
  };
}
