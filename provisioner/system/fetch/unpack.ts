import { Readable } from "node:stream";
import { createBrotliDecompress, createGunzip, createZstdDecompress } from "node:zlib";
import { Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import type { Compression } from "./narinfo.ts";
import { pieceWriter, readPieces } from "./staging.ts";

/** A packed archive, and where it shall lie unpacked. */
export interface Unpacking {
  readonly packed: string;
  readonly compression: Compression;
  readonly nar: string;
  /** What the archive may have at most; more is a bomb. */
  readonly maxBytes: number;
}

/** Unpacks with a program; the packed file goes. Throws `system/cache-lied` when it cannot. */
export type UnpackByProgram = (
  unpacking: Unpacking & { readonly program: string },
) => Promise<void>;

const streams = {
  zstd: createZstdDecompress,
  gzip: createGunzip,
  br: createBrotliDecompress,
} as const;

/** Unpacks an archive, never more of it than there can be. Throws `system/cache-lied`. */
export async function unpack(
  files: Files,
  unpacking: Unpacking,
  byProgram: UnpackByProgram,
): Promise<void> {
  const { packed, compression, nar } = unpacking;
  files.remove(nar);
  switch (compression) {
    case "none":
      return files.rename(packed, nar);
    case "xz":
    case "bzip2":
      return byProgram({ ...unpacking, program: compression });
    default:
      await unpackStream(files, unpacking, streams[compression]());
      files.remove(packed);
  }
}

async function unpackStream(
  files: Files,
  { packed, nar, maxBytes }: Unpacking,
  unpacker: NodeJS.ReadWriteStream,
): Promise<void> {
  const writer = pieceWriter(files, nar);
  let bytes = 0;
  const source = Readable.from(readPieces(files, packed));
  source.on("error", (error) => unpacker.emit("error", error));
  for await (const chunk of readAll(source.pipe(unpacker))) {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      source.destroy();
      throw new Fault("system/cache-lied", `${packed}: more than ${maxBytes} bytes unpacked`);
    }
    writer.take(chunk);
  }
  writer.end();
}

async function* readAll(stream: NodeJS.ReadableStream): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of stream) yield chunk as Uint8Array;
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault("system/cache-lied", `it cannot be unpacked: ${(error as Error).message}`);
  }
}
