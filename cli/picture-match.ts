import { cutToWidth } from "#core/text-width.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import { describeNeeds } from "#provisioner/profiles/declared.ts";
import type {
  CompiledProfile,
  Confidence,
  Evidence,
  ExplainedMatch,
  ProfileSet,
  Rejected,
} from "#provisioner/profiles/profile.ts";
import { drawnColumns, foldFields, lineOf, type Page, padToWidth, strokesFor } from "./drawing.ts";
import { machineName } from "./machine-name.ts";
import { type Row, row } from "./picture-row.ts";

/** What a match is drawn from. */
export interface MatchPicture {
  readonly found: ExplainedMatch;
  readonly facts: Facts;
  readonly profiles: ProfileSet;
}

const indent = "   ";
const labelColumns = 12; // the longest label, and its mark

/** A machine, the profile that it has and why, and why not those that came nearest. */
export function drawMatch({ found, facts, profiles }: MatchPicture, page: Page): readonly string[] {
  const strokes = strokesFor(page);
  const columns = drawnColumns(page);
  const cut = (text: string) => cutToWidth(text, columns, strokes.more);
  const profile = found.profile === null ? undefined : profiles.find(found.profile);
  const rows = [
    ...evidenceRows(found.evidence),
    ...componentRows(found),
    ...(found.refines.length === 0 ? [] : [row("  refines", found.refines)]),
    ...usedRows(found, profiles),
  ].map((each) => linesOf(each, columns - 2 * indent.length, page));
  return [
    cut(lineOf(machineName(facts).text, page)),
    cut(strokes.last + (found.profile ?? "no profile")),
    ...[profile?.title ?? "", confidenceText(found.confidence, profile)]
      .filter((text) => text !== "")
      .map((text) =>
        cut(indent + (rows.length === 0 ? indent : strokes.through) + lineOf(text, page)),
      ),
    ...tree(rows, page).map((line) => indent + line),
    ...rejectedLines(found, { columns, page }),
  ];
}

const confidenceWords: Readonly<Record<Confidence, string>> = {
  certain: "certain: its rule and its witness agree",
  likely: "likely: its rule or its witness says so, and the other one cannot tell",
  disputed: "disputed: its rule and its witness contradict each other",
  generic: "generic: nothing but the kind of machine is known",
  ambiguous: "ambiguous: several fit equally well, so that none of them is taken",
  none: "none of them fits",
};

/** Most declared profiles have no witness: their names are all that is known of a machine. */
function confidenceText(confidence: Confidence, profile: CompiledProfile | undefined): string {
  return confidence === "likely" && profile?.witness === null
    ? "likely: its rule says so, and it has no witness that could agree"
    : confidenceWords[confidence];
}

/** One row each for what holds, fails and is not told, of the rule and of the witness. */
function evidenceRows(evidence: readonly Evidence[]): readonly Row[] {
  const rules = [
    ["match", "rule"],
    ["witness", "witness"],
  ] as const;
  return (["holds", "fails", "unknown"] as const).flatMap((truth) =>
    rules.flatMap(([rule, label]) => {
      const seen = evidence.filter((each) => each.rule === rule && each.truth === truth);
      if (seen.length === 0) return [];
      return [row(`${truthMarks[truth]} ${label}`, seen.map(evidenceText))];
    }),
  );
}

const truthMarks = { holds: "+", fails: "!", unknown: "?" } as const;

function evidenceText({ what, expected, got, truth }: Evidence): string {
  const name = wordsFor(what);
  if (got === null) return `${name} not told, expected ${expected}`;
  const text = what.startsWith("dmi.") ? `"${got}"` : got;
  return truth === "holds" ? `${name} ${text}` : `${name} ${text}, expected ${expected}`;
}

function componentRows({ components }: ExplainedMatch): readonly Row[] {
  return components.map(({ id, evidence }) => row("+ part", [id, ...evidence.map(evidenceText)]));
}

/** What is used where it is another profile than the evidence points at. */
function usedRows(
  { profile, applied, confidence }: ExplainedMatch,
  profiles: ProfileSet,
): readonly Row[] {
  if (applied === profile) return [];
  const needs = (profile === null ? undefined : profiles.find(profile))?.needs ?? [];
  const why =
    needs.length > 0 && confidence !== "disputed"
      ? `${profile} brings ${describeNeeds(needs)}: that is for a person to decide`
      : "";
  return [row("> used", [applied ?? "none", why])];
}

/** The three that came nearest, with what speaks against each. */
function rejectedLines(
  { rejected, furtherRejected }: ExplainedMatch,
  { columns, page }: { readonly columns: number; readonly page: Page },
): readonly string[] {
  if (rejected.length === 0) return [];
  const room = columns - indent.length;
  const nodes = rejected.map(({ id, why }) => [
    cutToWidth(lineOf(id, page), room, strokesFor(page).more),
    ...whyNotLines(why, room, page),
  ]);
  const more = furtherRejected === 0 ? [] : [[`and ${furtherRejected} more, which came less near`]];
  return ["not these, which came nearest:", ...tree([...nodes, ...more], page)];
}

function whyNotLines(why: Rejected["why"], columns: number, page: Page): readonly string[] {
  const [, what = "", rest = why] = /^([a-zA-Z.]+): (.*)$/s.exec(why) ?? [];
  const text = what === "" ? why : `${wordsFor(what)}: ${rest}`;
  return foldFields(text.split("; "), { columns, between: "; ", page });
}

/** What conditions look at, in words. */
const words: Readonly<Record<string, string>> = {
  "dmi.sysVendor": "maker",
  "dmi.productName": "product",
  "dmi.productFamily": "family",
  "dmi.productVersion": "version",
  "dmi.productSku": "part number",
  "dmi.boardVendor": "maker of the board",
  "dmi.boardName": "board",
  "dmi.boardVersion": "version of the board",
  "dmi.biosVendor": "maker of the firmware",
  "dmi.biosVersion": "version of the firmware",
  "dmi.chassisVendor": "maker of the chassis",
  "dmi.chassisAssetTag": "asset tag",
  "dt.compatible": "device tree",
  pci: "PCI",
  usb: "USB",
  virt: "runs in",
  chassis: "chassis",
  "cpu.architecture": "processor",
  "cpu.vendor": "maker of the processor",
  "cpu.family": "family of the processor",
  "cpu.model": "model of the processor",
  "firmware.type": "firmware",
  "firmware.version": "version of the firmware",
};

function wordsFor(what: string): string {
  return words[what] ?? what;
}

function linesOf({ label, lines }: Row, columns: number, page: Page): readonly string[] {
  const room = columns - labelColumns;
  return lines
    .flatMap((fields) => foldFields(fields, { columns: room, page }))
    .map((text, at) => padToWidth(at === 0 ? label : "", labelColumns) + text);
}

/** Nodes below one another, each with its lines. */
function tree(nodes: readonly (readonly string[])[], page: Page): readonly string[] {
  const { branch, last, through } = strokesFor(page);
  return nodes.flatMap((lines, at) => {
    const isLast = at === nodes.length - 1;
    return lines.map((line, nth) => {
      if (nth === 0) return (isLast ? last : branch) + line;
      return (isLast ? indent : through) + line;
    });
  });
}
