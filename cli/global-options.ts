/** Flags that every command takes. */
export const globalOptions = {
  help: { type: "boolean", short: "h" },
  json: { type: "boolean" },
  root: { type: "string" },
  verbose: { type: "boolean", short: "v" },
  quiet: { type: "boolean", short: "q" },
} as const;

/** The same for a person. */
export const globalFlags: readonly (readonly [flag: string, does: string])[] = [
  ["--root DIR", "a directory that stands for the machine"],
  ["--json", "one JSON document on stdout"],
  ["-v, -q", "more or less talk"],
];
