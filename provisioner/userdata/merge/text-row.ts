import type { YamlPosition, YamlTree } from "../yaml.ts";
import type { BuiltValue, Item, Member } from "../yaml-values.ts";

/** A place in one of several documents. */
export interface DocumentPosition extends YamlPosition {
  readonly document: string;
}

interface PlacedText extends RowText {
  readonly from: number;
  readonly place: YamlTree["place"];
}

/** A text of a document, and the line of that document that it begins in. */
export interface RowText {
  readonly document: string;
  readonly text: string;
  readonly firstLine?: number;
}

/** Texts in a row, so that one offset names a place in any of them. */
export class TextRow {
  readonly #texts: PlacedText[] = [];
  #length = 0;

  /** Puts a text at the end; the value that was read from it comes back with offsets in the row. */
  add(
    { document, text, firstLine = 1 }: RowText,
    { root, place }: Pick<YamlTree, "root" | "place">,
  ): Item | undefined {
    const from = this.#length;
    this.#texts.push({ document, text, firstLine, from, place });
    this.#length += text.length + 2; // its end has offsets too
    return root === undefined || from === 0 ? root : shifted(root, from);
  }

  /** Which document an offset is in, and where. */
  place(offset: number): DocumentPosition {
    const { document, from, place, firstLine = 1 } = this.#at(offset);
    const { line, column } = place(offset - from);
    return { document, line: line + firstLine - 1, column };
  }

  /** The text of a document, its first line as the first one. */
  textOf(document: string): string | undefined {
    const found = this.#texts.find((each) => each.document === document);
    return found && `${"\n".repeat((found.firstLine ?? 1) - 1)}${found.text}`;
  }

  #at(offset: number): PlacedText {
    const found = this.#texts.findLast(({ from }) => from <= offset);
    if (found === undefined) throw new RangeError(`no text has the offset ${offset}`);
    return found;
  }
}

/** A copy with other offsets; what aliases share stays shared. */
function shifted(root: Item, by: number): Item {
  const known = new Map<BuiltValue, BuiltValue>();
  const move = (value: BuiltValue): BuiltValue => {
    if (value.scalar !== null && value.written === undefined) return value;
    const copied = known.get(value);
    if (copied !== undefined) return copied;
    if (value.written !== undefined) {
      const copy = { ...value, written: value.written.moved(by) };
      known.set(value, copy);
      return copy;
    }
    const members =
      value.members &&
      new Map([...value.members].map(([name, member]) => [name, moveMember(member)]));
    const copy = { ...value, members, items: value.items?.map(moveItem) ?? null };
    known.set(value, copy);
    return copy;
  };
  const moveItem = ({ at, value }: Item): Item => ({ at: at + by, value: move(value) });
  const moveMember = (member: Member): Member => ({
    ...member,
    ...moveItem(member),
    keyAt: member.keyAt + by,
  });
  return moveItem(root);
}
