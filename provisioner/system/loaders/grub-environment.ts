/** What GRUB expects of the file, to the byte: it writes into it without a file system. */
const size = 1024;
const head = "# GRUB Environment Block\n";

/** The variables of a block; what is no block of GRUB's has none. */
export function parseEnvironment(text: string): Map<string, string> {
  const variables = new Map<string, string>();
  if (!text.startsWith(head)) return variables;
  // A line ends at a newline that no backslash stands before.
  for (const [line] of text.slice(head.length).matchAll(/(?:\\[\s\S]|[^\\\n])+/g)) {
    if (line.startsWith("#")) continue;
    const equals = line.indexOf("=");
    if (equals > 0)
      variables.set(line.slice(0, equals), line.slice(equals + 1).replace(/\\([\s\S])/g, "$1"));
  }
  return variables;
}

/** The block of these variables; `undefined` where they do not fit. */
export function formatEnvironment(variables: ReadonlyMap<string, string>): string | undefined {
  const lines = [...variables].map(
    ([name, value]) => `${name}=${value.replace(/[\\\n]/g, "\\$&")}\n`,
  );
  const text = head + lines.join("");
  const room = size - Buffer.byteLength(text);
  return room < 0 ? undefined : text + "#".repeat(room);
}
