import { type Finding, findingPath } from "#core/finding.ts";
import type { DocumentPart } from "../document-parts.ts";
import type { Coverage } from "../translation.ts";
import { type Item, mappingValue } from "../yaml-values.ts";
import { applyPatch } from "./json-patch.ts";
import type { MergeLimits } from "./merge-limits.ts";
import { MergeProblem } from "./merge-problem.ts";
import { type Lost, mergeValues } from "./merge-values.ts";
import { partMergers } from "./mergers.ts";
import { type ReadPart, readPart } from "./part-reader.ts";
import { takeMergers } from "./take-mergers.ts";
import type { TextRow } from "./text-row.ts";

/** What the parts of one document are together. */
export interface MergedParts {
  /** Absent where no part says anything. */
  readonly item: Item | undefined;
  readonly findings: readonly Finding[];
  /** Of what is not in the item: how to merge, and parts that are no mapping. */
  readonly coverage: Coverage;
}

/** What merging parts takes beside them. */
export interface PartsOptions {
  readonly row: TextRow;
  readonly limits: MergeLimits;
}

/** Values that were lost to others of the same document: the first ones are named. */
const mostLost = 20;

/**
 * Merges `#cloud-config` and `#cloud-config-jsonp` in their order as cloud-init's handler of them does:
 * each part says by itself how it is merged into those before it. One that cannot be merged is left
 * out, with an error.
 */
export function mergeParts(parts: readonly DocumentPart[], options: PartsOptions): MergedParts {
  const merging = new PartsMerging(options);
  for (const part of parts) merging.add(part);
  return merging.result();
}

class PartsMerging {
  readonly #options: PartsOptions;
  readonly #findings: Finding[] = [];
  #item: Item | undefined;
  #translated = 0;
  #unsupported = 0;
  #lost = 0;

  constructor(options: PartsOptions) {
    this.#options = options;
  }

  add(part: DocumentPart): void {
    const read = readPart(part, this.#options.row);
    this.#keep(read);
    if (read.item === undefined) return;
    const old = this.#item ?? { at: read.item.at, value: mappingValue(new Map()) };
    try {
      this.#item =
        part.format === "cloud-config-jsonp"
          ? applyPatch(old, read.item, this.#options.limits)
          : this.#merge(old, read.item, part);
    } catch (error) {
      if (!(error instanceof MergeProblem)) throw error;
      this.#findings.push(this.#findingOf(error, part));
    }
  }

  result(): MergedParts {
    const { row } = this.#options;
    const isMapping = this.#item === undefined || this.#item.value.members !== null;
    if (this.#item !== undefined && !isMapping) {
      const message = "what comes of the patch is no mapping of cloud-config keys";
      const hint = "let it change values below the root";
      const what = { level: "error", code: "merge/failed", message, hint } as const;
      this.#findings.push({ path: "", ...row.place(this.#item.at), ...what });
    }
    if (this.#lost > mostLost) this.#findings.push(this.#furtherLost());
    return {
      item: isMapping ? this.#item : undefined,
      findings: this.#findings,
      coverage: { translated: this.#translated, agent: 0, unsupported: this.#unsupported },
    };
  }

  #keep({ findings, coverage }: ReadPart): void {
    this.#findings.push(...findings);
    this.#unsupported += coverage?.unsupported ?? 0;
  }

  #merge(old: Item, next: Item, part: DocumentPart): Item {
    const { row, limits } = this.#options;
    const { rest, mergers, findings, taken, at } = takeMergers(next, {
      row,
      mergeType: part.mergeType,
    });
    this.#findings.push(...findings);
    this.#translated += taken;
    const chosen = mergers.length === 0 ? partMergers : mergers;
    if (!chosen.some(({ type }) => type === "dict"))
      this.#findings.push(this.#withoutDict(at ?? next.at));
    return mergeValues(old, rest, { mergers: chosen, limits, onLost: (lost) => this.#name(lost) });
  }

  #name({ path, counts, lost }: Lost): void {
    this.#lost += 1;
    if (this.#lost > mostLost) return;
    const { row } = this.#options;
    const { document, line } = row.place(counts);
    this.#findings.push({
      ...row.place(lost),
      path: findingPath(path),
      level: "note",
      code: "merge/replaced",
      message: `${document} line ${line} says this too, and that counts`,
      hint: "to have both, say `merge_how` in the later part: `dict(recurse_array)+list(append)`",
    });
  }

  #furtherLost(): Finding {
    const { document } = this.#options.row.place(this.#item?.at ?? 0);
    const place = { document, path: "", line: null, column: null };
    const message = `${this.#lost - mostLost} more values are replaced by others`;
    return { ...place, level: "note", code: "merge/replaced", message, hint: null };
  }

  #withoutDict(at: number): Finding {
    const message = "this says how to merge, but no mappings, so that nothing of the part is used";
    const hint = "write `merge_how: dict(recurse_array)+list(append)+str()`";
    const what = { level: "warning", code: "merge/no-dict", message, hint } as const;
    return { path: "", ...this.#options.row.place(at), ...what };
  }

  #findingOf({ at, code, message, hint }: MergeProblem, part: DocumentPart): Finding {
    const { document, firstLine = 1 } = part;
    const start = { document, line: firstLine, column: 1 };
    const place = at === undefined ? start : this.#options.row.place(at);
    return { path: "", ...place, level: "error", code, message, hint };
  }
}
