import type { Finding } from "#core/finding.ts";
import type { RawDocument } from "./translation.ts";
import { decodeUserData, sniff } from "./user-data-format.ts";
import { readYaml } from "./yaml.ts";

/** Formats that are code, which cloud-init would run. */
const programs: ReadonlySet<string> = new Set(["script", "cloud-boothook", "part-handler"]);

/**
 * What to say of vendor-data, of which nothing is used: a note, because many clouds always send some;
 * a warning where it holds commands, which run nowhere. Nothing for an empty document.
 */
export function findingOfVendorData(raw: RawDocument): Finding | undefined {
  if (raw.bytes.length === 0) return undefined;
  const commands = findCommands(raw);
  const { line, column } = commands ?? { line: 1, column: 1 };
  return {
    document: raw.document,
    path: commands?.key ?? "",
    line,
    column,
    level: commands === undefined ? "note" : "warning",
    code: "user-data/vendor-data",
    message:
      commands === undefined
        ? "vendor-data is not used"
        : "vendor-data is not used: the commands in it run neither in the boot nor in the system",
    hint: "put what you need of it into the user-data",
  };
}

interface Commands {
  /** The key that holds them; the empty text where all of the document is a program. */
  readonly key: string;
  readonly line: number;
  readonly column: number;
}

function findCommands(raw: RawDocument): Commands | undefined {
  const { text } = decodeUserData(raw);
  if (text === undefined) return undefined;
  const format = sniff(text);
  if (programs.has(format)) return { key: "", line: 1, column: 1 };
  if (format !== "cloud-config") return undefined;
  const { value, locate } = readYaml(text, { document: raw.document });
  const [key] =
    Object.entries(value ?? {}).find(([name, list]) => {
      return ["bootcmd", "runcmd"].includes(name) && Array.isArray(list) && list.length > 0;
    }) ?? [];
  if (key === undefined) return undefined;
  return { key, ...(locate([key], "key") ?? { line: 1, column: 1 }) };
}
