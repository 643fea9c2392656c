interface Open {
  /** Title, where it is a menu entry or a submenu. */
  readonly title: string | undefined;
}

/**
 * The entry of a menu that boots a system, as `next_entry` names it: the titles down to it, joined by
 * `>`. Where an entry before it has the same titles GRUB would take that one: then there is none.
 */
export function findMenuEntry(text: string, toplevel: string): string | undefined {
  const open: Open[] = [];
  const seen = new Set<string>();
  let candidate: string | undefined;
  for (const line of text.split("\n").map((raw) => raw.trim())) {
    const [, kind, title] = /^(menuentry|submenu)\s+"((?:\\.|[^"\\])*)"/.exec(line) ?? [];
    if (line.endsWith("{")) open.push({ title: title === undefined ? undefined : plain(title) });
    else if (line === "}") open.pop();
    if (kind === "menuentry") {
      const path = pathOf(open);
      candidate = seen.has(path) ? undefined : path;
      seen.add(path);
    }
    if (candidate !== undefined && /^(linux|module)\S*\s/.test(line)) {
      if (line.split(/\s+/).includes(`init=${toplevel}/init`)) return candidate;
    }
  }
  return undefined;
}

/** Of a title that has the separator in it, it is written twice. */
function pathOf(open: readonly Open[]): string {
  return open
    .flatMap(({ title }) => (title === undefined ? [] : [title.replaceAll(">", ">>")]))
    .join(">");
}

/** A string in double quotes, as GRUB's shell reads it. */
function plain(quoted: string): string {
  return quoted.replace(/\\([$"\\])/g, "$1");
}
