/** This same program again, with a command of its own. */
export function thisProgram(command: string): readonly [string, ...string[]] {
  const [entry = ""] = process.argv.slice(1);
  return [process.execPath, ...process.execArgv, entry, command];
}
