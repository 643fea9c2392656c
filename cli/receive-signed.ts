import { readNodeAddress } from "#agent/report-settings.ts";
import { readSettings } from "#agent/settings.ts";
import type { Submission, SubmitAnswer } from "#agent/update/receive.ts";
import type { Io } from "#core/io.ts";
import type { Log } from "#core/log.ts";

/**
 * Verifies signed bytes as this machine's settings say now, and stores what is good of them. The
 * verifier is loaded with the first ones: most root sides end without it.
 */
export async function receiveSigned(
  submission: Submission,
  { io, log }: { readonly io: Io; readonly log: Log },
): Promise<SubmitAnswer> {
  const settings = await readSettings(io.files);
  const node = readNodeAddress(io.files, settings);
  const { receive } = await import("#agent/update/receive.ts");
  return receive(submission, { io, log, node, rootFile: settings.fleet?.root });
}
