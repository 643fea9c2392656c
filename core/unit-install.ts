/** What the section `[Install]` of a unit says. */
export interface UnitInstall {
  /** Units that start it. */
  readonly wantedBy: readonly string[];
  /** Its other keys, each once. */
  readonly others: readonly string[];
}

const unitName = /^[A-Za-z0-9:_.-]{1,200}\.[a-z]+$/;

/**
 * Reads `[Install]` as systemd does (systemd.syntax(7)): an empty list takes back what is above it, and a
 * line that ends with a backslash goes on. `undefined` where what starts the unit is no plain name of one.
 */
export function readUnitInstall(text: string): UnitInstall | undefined {
  let wantedBy: string[] = [];
  const others = new Set<string>();
  let section = "";
  for (const line of logicalLines(text)) {
    const [, header] = /^\[(.*)\]$/.exec(line) ?? [];
    if (header !== undefined) section = header;
    const [, key = "", value = ""] = /^([^=]*?)\s*=\s*(.*)$/.exec(line) ?? [];
    if (section !== "Install" || header !== undefined || key === "") continue;
    if (key !== "WantedBy") others.add(key);
    else if (value === "") wantedBy = [];
    else wantedBy.push(...value.split(/\s+/));
  }
  if (!wantedBy.every((name) => unitName.test(name))) return undefined;
  return { wantedBy: [...new Set(wantedBy)], others: [...others] };
}

/** Lines without comments and blanks around them, those that go on as one. */
function logicalLines(text: string): readonly string[] {
  const lines: string[] = [];
  let begun: string | undefined;
  for (const written of text.split(/\r?\n/)) {
    const line = written.trim();
    if (/^[#;]/.test(line)) continue;
    const whole = begun === undefined ? line : `${begun} ${line}`;
    begun = whole.endsWith("\\") ? whole.slice(0, -1) : undefined;
    if (begun === undefined && whole !== "") lines.push(whole.trim());
  }
  if (begun !== undefined) lines.push(begun.trim());
  return lines;
}
