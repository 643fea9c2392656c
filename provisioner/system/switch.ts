import { lockHeld, readActivation } from "./activation.ts";
import type { SwitchEnd, SwitchRequest } from "./commands.ts";
import { initrdPrograms } from "./initrd-programs.ts";
import type { Activation } from "./journal-record.ts";
import { dropTornKernels } from "./torn-kernels.ts";
import type { Work } from "./work.ts";

const lockTries = 5;
const lockPauseMs = 2_000;

/**
 * Runs an activation, again while another one holds its lock, and reads how it ended. What is new in
 * the boot menu is on the disk then.
 */
export async function switchAndRead(work: Work, request: SwitchRequest): Promise<Activation> {
  const before = work.machine.running();
  if (request.action === "boot") {
    const { io, storeFiles, paths } = work;
    dropTornKernels({ files: io.files, storeFiles, store: paths.store });
  }
  const initrdSecrets = request.action === "boot" ? initrdPrograms(work, request.toplevel) : [];
  const asked = initrdSecrets.length === 0 ? request : { ...request, initrdSecrets };
  const end = await onceUnlocked(work, () => work.commands.switchTo(asked));
  if (request.action === "boot") await work.commands.syncBoot();
  return readActivation(end, {
    toplevel: request.toplevel,
    before,
    after: work.machine.running(),
  });
}

/** Asks `switch-to-configuration`, again while another one holds its lock. */
export async function onceUnlocked(
  { io }: Work,
  ask: () => Promise<SwitchEnd>,
): Promise<SwitchEnd> {
  for (let tries = 1; ; tries++) {
    const end = await ask();
    if (!lockHeld(end) || tries === lockTries) return end;
    await io.clock.sleep(lockPauseMs);
  }
}
