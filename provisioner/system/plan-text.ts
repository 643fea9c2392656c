import { formatBytes } from "#core/bytes.ts";
import { counted } from "#core/count.ts";
import type { ClosureDifference, PackageChange } from "./closure-difference.ts";
import type { OptionChange } from "./plan-options.ts";
import type { PlaceSpace } from "./plan-space.ts";
import { optionText, placeText, printable, versionsText } from "./plan-words.ts";
import type { Plan, SourcesPreview } from "./system.ts";

/** A plan for a person, line by line; terminal, `--json` and reports show these very lines. */
export function planText(plan: Plan): readonly string[] {
  const { from, closure, reboot } = plan;
  const lines = [
    `plan ${plan.digest}`,
    `from ${systemText(from.toplevel, from.generation)}`,
    `to   ${closure.toplevel}`,
    `because ${closure.reason.why}`,
    ...(closure.reason.notBuilt === undefined ? [] : [fetchedText(closure.reason.notBuilt)]),
    ...filesText(plan.files),
    ...optionsText(plan.options),
    ...unfreeText(plan.unfree),
    ...packagesText(plan.difference),
    ...(["stop", "restart", "reload", "start"] as const).flatMap((verb) =>
      section(`units to ${verb}`, plan.units[verb]),
    ),
    "",
    reboot.needed ? `reboot: needed, because ${reboot.why.join("; ")}` : "reboot: not needed",
    ...section("space", plan.space.map(spaceText)),
    ...section(
      "warnings",
      plan.warnings.map(({ message }) => message),
    ),
    ...section(
      "commands",
      plan.commands.map((argv) => argv.join(" ")),
    ),
    "",
    `to apply exactly this: firstlight apply --plan ${plan.digest}`,
  ];
  return lines.map(printable);
}

/** What sources would change, for a person, line by line. */
export function previewText(preview: SourcesPreview): readonly string[] {
  const { from } = preview;
  const lines = [
    "preview, nothing was built or fetched",
    `from ${systemText(from.toplevel, from.generation)}`,
    `to   sources ${preview.sourcesDigest}`,
    ...filesText(preview.files),
    ...optionsText(preview.options),
    ...unfreeText(preview.unfree),
    ...obstacleText(preview.notBuilt),
    ...fetchText(preview.fetch),
    ...section("space", preview.space.map(spaceText)),
  ];
  return lines.map(printable);
}

function systemText(toplevel: string | null, generation: number | null): string {
  if (toplevel === null) return "no system yet";
  return generation === null ? toplevel : `${toplevel} (generation ${generation})`;
}

/** A title with its count and indented lines; nothing where there are none. */
function section(title: string, lines: readonly string[], count = lines.length): readonly string[] {
  if (lines.length === 0) return [];
  return ["", `${title} (${count}):`, ...lines.map((line) => `  ${line}`)];
}

const signs = { added: "+", changed: "~", removed: "-" } as const;

function filesText(files: Plan["files"]): readonly string[] {
  return section(
    "files",
    files.map(({ path, change }) => `${signs[change]} ${path}`),
  );
}

function optionsText(options: readonly OptionChange[] | null): readonly string[] {
  if (options === null) {
    return [
      "",
      "options: not known, because the sources of one of the two systems are not known here",
    ];
  }
  const lines = options.flatMap((option) => {
    const [first = "", ...rest] = optionText(option);
    return [`${signs[option.change]} ${first}`, ...rest.map((line) => `    ${line}`)];
  });
  return section("options", lines, options.length);
}

/** The whole list, each time: what somebody agreed to is for whoever approves to see. */
function unfreeText(unfree: Plan["unfree"]): readonly string[] {
  if (unfree === null)
    return ["", "packages that are not free: not known, because the new sources do not say it"];
  return section(
    "packages that are not free, and who agreed",
    unfree.map(
      ({ name, by, setBy }) =>
        `${name === "*" ? "every package" : name}: ${by}${setBy === null ? "" : ` (${placeText(setBy)})`}`,
    ),
  );
}

/** Why a system was fetched that would have been built here, for plan and history. */
export function fetchedText(notBuilt: string): string {
  return `fetched, because a build here does not fit: ${notBuilt}`;
}

function obstacleText(notBuilt: string | null): readonly string[] {
  return notBuilt === null ? [] : ["", `a build here does not fit: ${notBuilt}`];
}

function fetchText(fetch: SourcesPreview["fetch"]): readonly string[] {
  if (fetch === null) return [];
  const { paths, bytes, downloadBytes } = fetch;
  const sizes = `${formatBytes(downloadBytes)} to download, ${formatBytes(bytes)} in the store`;
  return ["", `to fetch: ${counted(paths, "store path")}, ${sizes}`];
}

const letters: Readonly<Record<PackageChange["change"], string>> = {
  upgraded: "U",
  downgraded: "D",
  changed: "C",
  added: "A",
  removed: "R",
};

function packagesText(difference: ClosureDifference | null): readonly string[] {
  if (difference === null) return ["", "packages: not known, because no store was asked"];
  const { packages, paths, bytes } = difference;
  const width = Math.max(0, ...packages.map(({ name }) => name.length));
  const order = Object.keys(letters);
  const sorted = [...packages].sort(
    (a, b) => order.indexOf(a.change) - order.indexOf(b.change) || (a.name < b.name ? -1 : 1),
  );
  const lines = sorted.map(
    (each) =>
      `[${letters[each.change]}] ${each.name.padEnd(width)}  ${versionsText(each)}  ${growth(each.bytesBefore, each.bytesAfter)}`,
  );
  return [
    ...section("packages", lines),
    "",
    `store paths: ${paths.added} added, ${paths.removed} removed`,
    `closure: ${formatBytes(bytes.before)} -> ${formatBytes(bytes.after)} (${growth(bytes.before, bytes.after)}); ${formatBytes(bytes.added)} new, ${formatBytes(bytes.removed)} no longer needed`,
  ];
}

function growth(before: number, after: number): string {
  const bytes = after - before;
  return `${bytes < 0 ? "-" : "+"}${formatBytes(Math.abs(bytes))}`;
}

function spaceText({ path, freeBytes, neededBytes }: PlaceSpace): string {
  const free = `${path}: ${formatBytes(freeBytes)} free`;
  if (neededBytes === null) return free;
  const enough = neededBytes > freeBytes ? ", NOT ENOUGH" : "";
  return `${free}, ${formatBytes(neededBytes)} needed${enough}`;
}
