/** What a pipe or terminal is called that something was read from or written to. */
const written: readonly string[] = ["PipeWrap", "TTYWrap"];

/**
 * Ends the program with this code: at once where all is done and all that it said is written, else as
 * soon as that is so. Node by itself first lets V8 end whatever it has begun, such as a look for garbage in a
 * heap that nobody needs any more: an eighth of a first boot.
 */
export function endProcess(code: number): void {
  process.exitCode = code;
  const isSaid = [process.stdout, process.stderr].every((stream) => stream.writableLength === 0);
  const isDone = process.getActiveResourcesInfo().every((kind) => written.includes(kind));
  if (isSaid && isDone) process.exit();
}
