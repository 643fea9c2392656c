import type { Files, RandomAccess } from "#core/io.ts";

/** A piece that is larger is a file, and read by one datasource alone. */
const mostPieceBytes = 4 * 1024;

/** Files whose disks are opened once. */
export interface KeptDisks {
  readonly files: Files;
  /** Closes what was opened. */
  close(): void;
}

/**
 * The same files, for a while in which several look at the same disks: each is opened once, also one
 * that cannot be (an empty drive takes its time to say so), and its first sectors are read once.
 */
export function keepDisks(files: Files): KeptDisks {
  const opened = new Map<string, Opened>();
  const open: Files["open"] = (file, options) => {
    const before = opened.get(file) ?? tryOpen(() => files.open(file, options));
    opened.set(file, before);
    if ("error" in before) throw before.error;
    return before.access;
  };
  return {
    files: Object.create(files, { open: { value: open } }) as Files,
    close() {
      for (const each of opened.values()) if ("close" in each) each.close();
    },
  };
}

/** A disk, or why it cannot be opened. */
type Opened =
  | { readonly access: RandomAccess; readonly close: () => void }
  | { readonly error: unknown };

function tryOpen(open: () => RandomAccess): Opened {
  try {
    const access = open();
    const pieces = new Map<string, Uint8Array>();
    const read: RandomAccess["read"] = (offset, length) => {
      const key = `${offset} ${length}`;
      const bytes = pieces.get(key) ?? access.read(offset, length);
      if (length <= mostPieceBytes) pieces.set(key, bytes);
      return bytes;
    };
    return { access: { size: access.size, read, close: () => {} }, close: () => access.close() };
  } catch (error) {
    return { error };
  }
}
