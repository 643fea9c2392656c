import type { Files } from "#core/io.ts";

/** The same files, with so much room in a place and below it. */
export function withSpace(files: Files, place: string, availableBytes: number): Files {
  const space: Files["space"] = (file) => {
    const real = files.space(file);
    return real && `${file}/`.startsWith(`${place}/`) ? { ...real, availableBytes } : real;
  };
  return { ...files, space };
}
