import type { File } from "#generated/provisioner/spec/v1.ts";

/** The unit that a file of text is, where systemd looks for those of the machine. */
export function unitNameOf({ path, append, secret }: File): string | undefined {
  if (append === true || secret !== undefined) return undefined;
  return /^\/etc\/systemd\/system\/([A-Za-z0-9:_.@-]{1,200}\.(service|socket|timer|path|mount|target|slice))$/.exec(
    path,
  )?.[1];
}
