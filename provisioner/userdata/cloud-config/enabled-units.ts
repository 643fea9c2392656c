import { readUnitInstall } from "#core/unit-install.ts";
import type { SpecDraft } from "../draft.ts";
import type { Input } from "../input.ts";
import { commandsOfList, type SimpleCommand, simpleCommands } from "./simple-commands.ts";

const directory = "/etc/systemd/system/";
const unitName = /^[A-Za-z0-9:_.-]{1,200}\.(?:service|socket|timer|path)$/;
/** Words that change nothing of what `enable` does here. */
const knownOptions: ReadonlySet<string> = new Set(["--now", "--quiet", "-q", "--no-block"]);
/**
 * Words before the command with which the shell looks for it in the same PATH: those of its grammar, variables, and
 * programs that start another one. What asks for other rights but `sudo` is none of them.
 */
const sameProgram =
  /^\(?(?:(?:if|then|else|elif|do|while|until|!|\{|time|exec|command|nohup|env|timeout[ \t]+\d+[smhd]?|[A-Za-z_]\w*=[\w./:,@%+-]*)[ \t]+)*(?:sudo[ \t]+)?systemctl[ \t]/;
const redirection = /^(?:\d*|&)(?:>>?|<)(?:&?[\w./-]+|&-)$/;
const openRedirection = /^(?:\d*|&)(?:>>?|<)$/;

/**
 * Units that `runcmd` may enable, by their names: those that the same document writes as one whole file of
 * text, and that say what wants them. None where the script searches its programs elsewhere than its
 * unit does, because `systemctl` is then another program.
 */
export function unitsToEnable(config: Input, draft: SpecDraft): ReadonlySet<string> {
  const runcmd = config.get("runcmd");
  const texts = (runcmd?.parts() ?? []).flatMap((item) => [item, ...item.parts()]);
  if (runcmd === undefined || texts.some((item) => leavesPath(item.scalarText()))) return new Set();
  const files = (config.get("write_files")?.parts() ?? []).filter((item) => item.isMapping());
  const byPath = Map.groupBy(files, pathOf);
  const names = [...byPath].flatMap(([path, [file, ...others]]) => {
    const name = path?.startsWith(directory) === true ? path.slice(directory.length) : "";
    const isWhole = file !== undefined && others.length === 0 && isPlainUnit(file);
    return unitName.test(name) && isWhole && isFromSame(draft, runcmd, file) ? [name] : [];
  });
  return new Set(names);
}

/** The units that a command of a text enables, where it is known to do that and nothing else. */
export function enabledBy(
  { words, index }: SimpleCommand,
  text: string,
  units: ReadonlySet<string>,
): readonly string[] {
  if (!sameProgram.test(text.slice(index))) return [];
  const [name, ...rest] = withoutRedirections(words);
  const options = rest.filter((word) => word.startsWith("-"));
  const [verb, ...named] = rest.filter((word) => !word.startsWith("-"));
  if (name !== "systemctl" || verb !== "enable") return [];
  const enabled = named.map(withSuffix);
  const isKnown =
    options.every((word) => knownOptions.has(word)) && enabled.every((unit) => units.has(unit));
  return isKnown ? enabled : [];
}

/** All units that an item of `runcmd` enables. */
export function enabledIn(item: Input, units: ReadonlySet<string>): readonly string[] {
  if (units.size === 0) return [];
  const words = item.parts().map((word) => word.scalarText());
  const text = item.isList() ? words.join(" ") : item.scalarText();
  const commands = item.isList() ? commandsOfList(words) : simpleCommands(text);
  return commands.flatMap((command) => enabledBy(command, text, units));
}

/** What the program is told: where its output goes, and what is said behind a `#`, it does not see. */
function withoutRedirections(words: readonly string[]): readonly string[] {
  const end = words.findIndex((word) => word.startsWith("#"));
  const said = end < 0 ? words : words.slice(0, end);
  return said.filter(
    (word, at) =>
      !redirection.test(word) &&
      !openRedirection.test(word) &&
      !openRedirection.test(said[at - 1] ?? ""),
  );
}

function withSuffix(word: string): string {
  const name = word.startsWith(directory) ? word.slice(directory.length) : word;
  return /\.(?:service|socket|timer|path)$/.test(name) ? name : `${name}.service`;
}

/** Whether a text has programs come from elsewhere before they come from where the unit has them. */
function leavesPath(text: string): boolean {
  return /\bPATH=(?!["']?\$(?:PATH\b|\{PATH\}))|\/etc\/profile|set-environment/.test(text);
}

function pathOf(file: Input): string | undefined {
  const path = file.get("path")?.value;
  return typeof path === "string" ? path.replace(/\/+/g, "/") : undefined;
}

/** Text that everybody may read, so that it may stand in the store, with a `WantedBy`. */
function isPlainUnit(file: Input): boolean {
  const content = file.get("content")?.value;
  if (
    typeof content !== "string" ||
    ["encoding", "source", "append"].some((key) => file.has(key))
  ) {
    return false;
  }
  const mode = file.get("permissions")?.value ?? 0o644;
  const bits = typeof mode === "string" ? Number.parseInt(mode, 8) : Number(mode);
  return (bits & 0o004) !== 0 && (readUnitInstall(content)?.wantedBy.length ?? 0) > 0;
}

/** Neither turns on what the other's author has written. */
function isFromSame(draft: SpecDraft, runcmd: Input, file: Input): boolean {
  const isSigned = (input: Input) => draft.isSigned(input.origin().document);
  const all = [...runcmd.parts(), file];
  return new Set(all.map((each) => `${isSigned(each)} ${draft.isVendors(each)}`)).size === 1;
}
