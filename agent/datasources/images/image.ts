import { Fault } from "#core/fault.ts";
import type { RandomAccess } from "#core/io.ts";

/**
 * Bytes of structures (descriptors, directories, tables) that are read of one image at most, so
 * that a hostile one cannot keep the reader busy. The contents of files are limited by their caller.
 */
const maxStructureBytes = 32 * 1024 * 1024;

/** An image of a file system, read within its bounds; nothing of it is trusted. */
export interface Image {
  /** What it is called in messages: `/dev/sr0`. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /**
   * Exactly `length` bytes of a structure. Throws `datasource/malformed` when the image ends before
   * them or when too much has been read already; `what` names the structure.
   */
  structure(offset: number, length: number, what: string): Buffer;
  /** Fills `target` from `offset` with a part of a file; throws like {@link Image.structure}. */
  content(offset: number, target: Uint8Array, what: string): void;
}

/** Bounds an open file or device. */
export function openImage(access: RandomAccess, name: string): Image {
  let spent = 0;
  const readExactly = (offset: number, length: number, what: string): Buffer => {
    if (!Number.isSafeInteger(offset) || offset < 0 || offset + length > access.size) {
      const end = `bytes ${offset} to ${offset + length}, but the image ends at ${access.size}`;
      throw malformed(name, what, `lies at ${end}`);
    }
    const bytes = access.read(offset, length);
    if (bytes.length < length) {
      throw malformed(
        name,
        what,
        `needs ${length} bytes at ${offset}, but ${bytes.length} could be read`,
      );
    }
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  };
  return {
    name,
    size: access.size,
    structure(offset, length, what) {
      spent += length;
      if (spent > maxStructureBytes) {
        throw malformed(
          name,
          what,
          `more than ${maxStructureBytes} bytes of directories and tables`,
        );
      }
      return readExactly(offset, length, what);
    },
    content(offset, target, what) {
      target.set(readExactly(offset, target.length, what));
    },
  };
}

/** The fault of a broken image: which image, which part of it, what is wrong. */
export function malformed(image: string, what: string, problem: string): Fault {
  return new Fault("datasource/malformed", `${image}: ${what}: ${problem}`);
}

/** A name from an image as it may stand in a message: quoted, without control characters, short. */
export function quoted(name: string): string {
  const text = JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
  return text.replace(/[\u007f-\u009f\u2028\u2029]/g, "?");
}
