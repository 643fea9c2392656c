import { Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import { pieceWriter } from "./staging.ts";
import { type TransferDeps, transfer } from "./transfer.ts";

/** A file that is known before it comes. */
export interface KnownFile {
  /** Relative to the cache. */
  readonly url: string;
  /** Where it is written to; a beginning that lies there is gone on with, whichever cache it came from. */
  readonly to: string;
  /** Bytes of it; `null` where only {@link KnownFile.maxBytes} is known. */
  readonly size: number | null;
  readonly maxBytes: number;
  /** Whether what lies there is all of it, and nothing else. */
  readonly isWhole: () => boolean | Promise<boolean>;
}

/**
 * Brings a file, whole. A beginning that was there may have lost its bytes in a power cut, or be another
 * cache's lie: then it is fetched again from its first byte before anybody is called a liar. Throws as
 * {@link transfer}; of a file that is not the one that is known nothing is left.
 */
export async function fetchFile(
  d: TransferDeps & { readonly files: Files },
  file: KnownFile,
): Promise<void> {
  const { files } = d;
  const had = files.stat(file.to)?.size ?? 0;
  if (had > 0 && (await file.isWhole())) return;
  await fetchRest(d, file, had);
  if (await file.isWhole()) return;
  files.remove(file.to);
  if (had > 0) return fetchFile(d, file);
  throw new Fault("system/cache-lied", `${file.url}: not the file that was announced`);
}

async function fetchRest(
  d: TransferDeps & { readonly files: Files },
  { url, to, size, maxBytes }: KnownFile,
  offset: number,
): Promise<void> {
  const { files } = d;
  if (offset >= (size ?? maxBytes)) return;
  const writer = pieceWriter(files, to);
  const begin = (at: number) => {
    if (at !== offset) files.remove(to);
  };
  const request = { file: url, offset, maxBytes: size ?? maxBytes, begin, take: writer.take };
  await transfer(d, request).finally(writer.end);
}
