import type { Files } from "#core/io.ts";

const pageBytes = 4096;
const magic = "SWAPSPACE2";
/** After the boot block: version, last page, bad pages and a UUID. */
const labelAt = 1024 + 3 * 4 + 16;
const labelBytes = 16;

/**
 * The label of a swap area; `null` where nothing has been written yet, `undefined` where there is no
 * such device or something else is on it. Format: include/linux/swap.h of the kernel, `swap_header`.
 */
export function swapLabel(files: Files, place: string): string | null | undefined {
  try {
    const access = files.open(place, { size: pageBytes });
    try {
      return labelIn(Buffer.from(access.read(0, pageBytes)));
    } finally {
      access.close();
    }
  } catch {
    return undefined;
  }
}

function labelIn(page: Buffer): string | null | undefined {
  if (page.every((byte) => byte === 0)) return null;
  if (page.subarray(pageBytes - magic.length).toString("latin1") !== magic) return undefined;
  const label = page.subarray(labelAt, labelAt + labelBytes).toString("utf8");
  return label.replace(/\0.*$/s, "");
}
