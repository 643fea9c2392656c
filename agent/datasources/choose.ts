import type { Files } from "#core/io.ts";
import { type Choice, readChoice } from "./cloud-init-settings.ts";
import type { Datasource } from "./datasource.ts";

/** A datasource to look for, or the name of one that is not known. */
export interface Candidate {
  readonly datasource: Datasource | string;
  /** Who says that the machine is on it, also where nothing else does. */
  readonly forcedBy?: string;
}

/** Those that cloud-init does not have: what it says of datasources is not said of them. */
const ours = ["credentials", "usb"];

/**
 * The datasources to look for in order: those of `table`, or those that `allowed` names. What cloud-init's own
 * settings say narrows them, and puts them in its order, but for those that cloud-init does not have; one
 * alone is not looked for but used. Beside `allowed` only the kernel's command line has a word, and it
 * adds none.
 */
export function chooseDatasources(
  files: Files,
  table: readonly Datasource[],
  allowed: readonly string[] | undefined,
): readonly Candidate[] {
  const all = (allowed ?? table.map(({ name }) => name)).map(
    (name): Candidate => ({ datasource: table.find((each) => each.name === name) ?? name }),
  );
  const choice = readChoice(files);
  if (choice === undefined || (allowed !== undefined && !choice.isOfKernel)) return all;
  const isOurs = (candidate: Candidate) => ours.includes(nameOf(candidate));
  const theirs = all.filter((candidate) => !isOurs(candidate));
  const first = all.findIndex((candidate) => !isOurs(candidate));
  const before = all.slice(0, Math.max(first, 0));
  const after = all.slice(before.length).filter(isOurs);
  return [...before, ...chosenOf(choice, theirs, allowed === undefined), ...after];
}

function chosenOf(
  { names, by }: Choice,
  theirs: readonly Candidate[],
  tellsUnknown: boolean,
): readonly Candidate[] {
  const found = names.flatMap((name) => {
    const known = theirs.find((candidate) => nameOf(candidate).toLowerCase() === spelled(name));
    return known ?? [];
  });
  if (names.length !== 1) return found;
  if (found.length === 0) return tellsUnknown ? [{ datasource: by }] : [];
  return found.map((candidate) => ({ ...candidate, forcedBy: by }));
}

/** NoCloud has a second name, for a seed behind a network. */
function spelled(name: string): string {
  const lower = name.toLowerCase();
  return /^nocloud-?net$/.test(lower) ? "nocloud" : lower;
}

function nameOf({ datasource }: Candidate): string {
  return typeof datasource === "string" ? datasource : datasource.name;
}
