import type { Submission, SubmitAnswer } from "#agent/update/receive.ts";
import type { Io } from "#core/io.ts";
import type { Log } from "#core/log.ts";

/**
 * Verifies signed bytes as this machine's settings say now, and stores what is good of them. All that
 * it needs is loaded with the first ones: most root sides end without it.
 */
export async function receiveSigned(
  submission: Submission,
  { io, log }: { readonly io: Io; readonly log: Log },
): Promise<SubmitAnswer> {
  const { readSettings } = await import("#agent/settings.ts");
  const { readNodeAddress } = await import("#agent/report-settings.ts");
  const { receive } = await import("#agent/update/receive.ts");
  const settings = await readSettings(io.files);
  const node = readNodeAddress(io.files, settings);
  return receive(submission, { io, log, node, rootFile: settings.fleet?.root });
}
