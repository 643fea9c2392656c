import type { Files } from "#core/io.ts";

/** systemd-timesyncd makes it when it has heard from a server of time in this boot. */
const synchronizedFile = "/run/systemd/timesync/synchronized";

/**
 * Whether somebody who knows the time has set the clock in this boot. Told from a file, because it is
 * asked where no process may be started; where another program keeps the time the answer is no, which
 * only makes an expired signature one to be looked at again.
 * Source: systemd-timesyncd.service(8), files.
 */
export function isClockSet(files: Files): boolean {
  return files.stat(synchronizedFile) !== undefined;
}
