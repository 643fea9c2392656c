import { lockHeld, readActivation } from "./activation.ts";
import type { SwitchEnd, SwitchRequest } from "./commands.ts";
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
  const end = await switchUnlocked(work, request);
  if (request.action === "boot") await work.commands.syncBoot();
  return readActivation(end, {
    toplevel: request.toplevel,
    before,
    after: work.machine.running(),
  });
}

async function switchUnlocked({ commands, io }: Work, request: SwitchRequest): Promise<SwitchEnd> {
  for (let tries = 1; ; tries++) {
    const end = await commands.switchTo(request);
    if (!lockHeld(end) || tries === lockTries) return end;
    await io.clock.sleep(lockPauseMs);
  }
}
