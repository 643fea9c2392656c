import { wordHint } from "#core/word-hint.ts";
import type { Input } from "../input.ts";
import { readDevice } from "./device-name.ts";

/** A partition: its share of the disk in percent, and its type as sfdisk writes it. */
export interface DiskPart {
  readonly percent: number;
  readonly type: string;
}

/** How a disk is partitioned where it is empty; the last part takes what is left. */
export interface DiskLayout {
  readonly disk: string;
  readonly table: "dos" | "gpt";
  readonly parts: readonly DiskPart[];
}

/** Types of both tables, by their codes, as sfdisk has short names for them. */
const types: Readonly<Record<string, string>> = {
  "82": "S",
  "8200": "S",
  "83": "L",
  "8300": "L",
  ef: "U",
  ef00: "U",
  "8e": "V",
  "8e00": "V",
  fd: "R",
  fd00: "R",
};
const guid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The layouts of `disk_setup`; what is no layout is named. */
export function readLayouts(
  input: Input | undefined,
  aliases: ReadonlyMap<string, string>,
): readonly DiskLayout[] {
  if (input === undefined) return [];
  if (!input.isMapping()) {
    input.expected("a mapping of devices");
    return [];
  }
  return input.entries().flatMap(([name, wish]) => readLayout(name, wish, aliases) ?? []);
}

function readLayout(
  name: string,
  wish: Input,
  aliases: ReadonlyMap<string, string>,
): DiskLayout | undefined {
  if (!wish.isMapping()) {
    wish.expected("a mapping with `layout`");
    return undefined;
  }
  const table = readTable(wish.get("table_type"));
  warnOfOverwriting(wish.get("overwrite"));
  const layout = wish.get("layout");
  if (layout === undefined || layout.value === false) {
    const message = "without a layout there is nothing to do";
    const text = { code: "cloud-config/no-meaning", message, hint: "remove the entry" } as const;
    wish.unsupported(text, "note");
    return undefined;
  }
  const parts = readParts(layout, table ?? "dos");
  const named = readDevice(name, "auto", aliases);
  if (named.kind !== "known" || !named.device.startsWith("/dev/")) {
    wish.unsupported({
      code: "cloud-config/unknown-device",
      message: "which disk this is is not known here; it is not partitioned",
      hint: "write its path, or say it under `device_aliases`",
    });
    return undefined;
  }
  return parts && table && { disk: named.device, table, parts };
}

function readTable(input: Input | undefined): DiskLayout["table"] | undefined {
  const type = input?.text() ?? (input === undefined ? "mbr" : undefined);
  if (type === undefined || type === "gpt") return type;
  if (type === "mbr") return "dos";
  input?.unsupported({
    code: "cloud-config/unknown-value",
    message: "unknown table of partitions",
    hint: wordHint(input.value, ["gpt", "mbr"]),
  });
  return undefined;
}

/** Of a wish that is true, where only what is empty is written to. */
export function warnOfOverwriting(input: Input | undefined): void {
  if (input?.boolean() !== true) return;
  input.unsupported({
    code: "cloud-config/not-overwritten",
    message: "what is on a device stays: only an empty one is written to",
    hint: "empty the device by hand, with `wipefs` and `blkdiscard`, where that is meant",
  });
}

function readParts(layout: Input, table: DiskLayout["table"]): readonly DiskPart[] | undefined {
  if (layout.value === true) {
    layout.mark("translated");
    return [{ percent: 100, type: "L" }];
  }
  if (layout.value === "remove") {
    layout.unsupported({
      code: "cloud-config/unsupported-key",
      message: "no table of partitions is removed",
      hint: "remove it by hand, with `wipefs`",
    });
    return undefined;
  }
  if (!layout.isList()) {
    layout.expected(
      "true, false, `remove` or a list of shares",
      "write `layout: true` for one partition, or shares in percent as `layout: [33, [66, 82]]`",
    );
    return undefined;
  }
  const items = layout.items();
  const parts = items.flatMap((item) => readPart(item) ?? []);
  if (parts.length < items.length || parts.length === 0) return undefined;
  const sum = parts.reduce((total, { percent }) => total + percent, 0);
  if (sum <= 100 && (table === "gpt" || parts.length <= 4)) return parts;
  layout.expected(
    "shares of a disk",
    table === "gpt"
      ? "at most 100 percent in all"
      : "at most 100 percent in all, and at most 4 with `mbr`",
    `${parts.length} of ${sum} percent`,
  );
  return undefined;
}

function readPart(item: Input): DiskPart | undefined {
  const [share, code, ...more] = item.isList() ? item.items() : [item];
  if (share === undefined || more.length > 0 || (item.isList() && code === undefined)) {
    item.expected(
      "a share in percent, or a list of share and type",
      "write `33`, or `[33, 82]` with the type of the partition",
    );
    return undefined;
  }
  const percent = share.integer();
  const type = code === undefined ? "L" : readType(code);
  return percent === undefined || type === undefined ? undefined : { percent, type };
}

function readType(input: Input): string | undefined {
  const text = typeof input.value === "number" ? String(input.value) : input.text();
  const name = text?.toLowerCase();
  if (name === undefined) return undefined;
  const type = types[name] ?? (guid.test(name) || /^[0-9a-f]{1,2}$/.test(name) ? name : undefined);
  if (type === undefined)
    input.expected("a type of partitions", "as 82, or a GUID", "something else");
  else input.mark("translated");
  return type;
}
