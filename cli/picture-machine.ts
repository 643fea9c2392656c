import { cutToWidth, textWidth } from "#core/text-width.ts";
import type { Facts, UnreadFile } from "#generated/provisioner/facts/facts.ts";
import { diskRows, graphicsRows, networkRows, usbRows } from "./device-rows.ts";
import { drawnColumns, foldFields, lineOf, type Page, padToWidth, strokesFor } from "./drawing.ts";
import { machineName } from "./machine-name.ts";
import {
  batteryRows,
  boardRows,
  firmwareRow,
  kindRow,
  memoryRow,
  processorRow,
  tpmRow,
} from "./machine-rows.ts";
import { type Row, row } from "./picture-row.ts";

const margin = 2;
const labelColumns = 15; // a branch, and the longest label behind it
/** Of one kind; a server can have a hundred disks. */
const rowsOfOneKind = 8;
const unreadShown = 5;

/**
 * A machine as a picture: its board, and on it the processor with all that hangs on that. What is
 * not known has a `?` in the margin.
 */
export function drawMachine(facts: Facts, page: Page): readonly string[] {
  const { dmi, pci, blockDevices, features } = facts;
  const strokes = strokesFor(page);
  const name = machineName(facts);
  const onBoard = [
    ...boardRows(facts, name),
    kindRow(facts),
    firmwareRow(facts.firmware, dmi),
    tpmRow(facts.tpm),
    ...batteryRows(features.battery, dmi),
  ];
  const processor = processorRow(facts.cpu);
  const hanging = [
    memoryRow(facts.memoryBytes),
    ...[
      graphicsRows(pci),
      diskRows(blockDevices, strokes.back),
      networkRows(facts),
      usbRows(facts),
    ].flatMap(fewOf),
  ];
  const box = boxOf(name.text, page);
  const hasGap = [...onBoard, processor, ...hanging].some(({ isGap }) => isGap === true);
  return [
    box.top,
    ...onBoard.flatMap((each) => box.row(each, ["", ""])),
    box.line("", false),
    ...box.row(processor, ["", strokes.through]),
    ...hanging.flatMap((each) =>
      box.row(
        each,
        each === hanging.at(-1) ? [strokes.last, ""] : [strokes.branch, strokes.through],
      ),
    ),
    box.bottom,
    ...(hasGap ? ["? marks what is not known"] : []),
    ...unreadLines(facts.unread, page),
  ];
}

/** The outline of a board, and lines within it. */
function boxOf(title: string, page: Page) {
  const strokes = strokesFor(page);
  const columns = drawnColumns(page) - margin;
  const inner = columns - 4;
  const across = (length: number) => strokes.across.repeat(length);
  const shownTitle = cutToWidth(lineOf(title, page), inner - 2, strokes.more);
  const top = `${strokes.topLeft}${strokes.across} ${shownTitle} `;
  const blank = " ".repeat(margin);
  const line = (text: string, isGap: boolean) =>
    `${padToWidth(isGap ? "?" : "", margin)}${strokes.side} ${padToWidth(text, inner)} ${strokes.side}`;
  return {
    top: `${blank}${top}${across(columns - textWidth(top) - 1)}${strokes.topRight}`,
    bottom: `${blank}${strokes.bottomLeft}${across(columns - 2)}${strokes.bottomRight}`,
    line,
    /** `first` stands before the label, `further` in its place on the other lines. */
    row({ label, lines, isGap }: Row, [first, further]: readonly [string, string]) {
      const room = inner - labelColumns;
      const texts = lines.flatMap((fields) => foldFields(fields, { columns: room, page }));
      return texts.map((text, at) =>
        line(
          padToWidth(at === 0 ? first + label : further, labelColumns) + text,
          at === 0 && isGap === true,
        ),
      );
    },
  };
}

function fewOf(rows: readonly Row[]): readonly Row[] {
  if (rows.length <= rowsOfOneKind) return rows;
  const shown = rows.slice(0, rowsOfOneKind - 1);
  return [...shown, row("", [`and ${rows.length - shown.length} more of these`])];
}

const unreadWords: Readonly<Record<UnreadFile["why"], string>> = {
  denied: "only root may read it",
  "too-large": "larger than is read",
  "too-many": "more entries than are read",
  failed: "it could not be read",
  malformed: "it was not understood",
};

/** What stands below the board: what is there and was not read whole. */
function unreadLines(unread: readonly UnreadFile[], page: Page): readonly string[] {
  const shown = unread.slice(0, unreadShown).flatMap(({ path, why }) =>
    foldFields([`not read whole: ${path}`, `(${unreadWords[why]})`], {
      columns: drawnColumns(page) - margin,
      between: " ",
      page,
    }).map((line, at) => (at === 0 ? `! ${line}` : `  ${line}`)),
  );
  const more = unread.length - unreadShown;
  return more > 0 ? [...shown, `! and ${more} more`] : shown;
}
