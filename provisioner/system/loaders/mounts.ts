import type { Files } from "#core/io.ts";

/** What is mounted somewhere. */
export interface Mount {
  readonly device: string;
  readonly point: string;
  readonly type: string;
}

const maxBytes = 1024 * 1024;

/** What is mounted, as the kernel tells it; what lies over another mount comes later. */
function readMounts(files: Files): readonly Mount[] {
  const text = files.readText("/proc/mounts", { maxBytes }) ?? "";
  return text.split("\n").flatMap((line): readonly Mount[] => {
    const [device, point, type] = line.split(" ").map(unescaped);
    return device === undefined || point === undefined || type === undefined
      ? []
      : [{ device, point, type }];
  });
}

/** Where file systems of these types are mounted. */
export function mountPoints(files: Files, types: readonly string[]): readonly string[] {
  return readMounts(files)
    .filter(({ type }) => types.includes(type))
    .map(({ point }) => point);
}

/** The mount that a path lies on. */
export function mountOf(files: Files, path: string): Mount | undefined {
  const over = readMounts(files).filter(
    ({ point }) => point === "/" || path === point || path.startsWith(`${point}/`),
  );
  const longest = Math.max(...over.map(({ point }) => point.length));
  return over.findLast(({ point }) => point.length === longest);
}

/** The kernel writes white space and backslashes as octal numbers. */
function unescaped(word: string): string {
  return word.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
