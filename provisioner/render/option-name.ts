const part = '("[^"\\\\$]+"|[A-Za-z_][A-Za-z0-9_\'-]*)';
const further = '("[^"\\\\$]+"|[A-Za-z0-9_][A-Za-z0-9_\'-]*)';
const optionName = new RegExp(`^${part}(\\.${further})*$`);

/** What a module says of itself, beside the options that it sets. */
const moduleKeys = new Set([
  ...["config", "options", "imports", "disabledModules", "freeformType"],
  ...["meta", "key", "_file", "_class", "_module"],
]);

/** `a.b."c.d"` -> `["a", "b", "c.d"]`; `undefined` when it is not of this form. */
export function splitOptionName(name: string): readonly string[] | undefined {
  if (!optionName.test(name)) return undefined;
  const parts = [...name.matchAll(/"([^"]+)"|([^."]+)/g)];
  return parts.map(([, quoted, plain]) => quoted ?? plain ?? "");
}

/** Whether a path is one of options, and not of what a module says of itself. */
export function isOptionPath(path: readonly string[]): boolean {
  return path.length > 1 && !isModuleKey(path);
}

/** Whether a path begins with what a module says of itself. */
export function isModuleKey([first = ""]: readonly string[]): boolean {
  return moduleKeys.has(first);
}
