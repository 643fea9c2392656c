import type { PlainData } from "./from-json.ts";
import type { NixExpr } from "./tree.ts";

/**
 * The data that an expression of `fromJson` holds, or `undefined` of one that holds more than data.
 * Whole numbers that a `number` cannot hold stay `bigint`.
 */
export function toData(expr: NixExpr): PlainData | undefined {
  switch (expr.kind) {
    case "null":
      return null;
    case "bool":
    case "float":
      return expr.value;
    case "int":
      return Number.isSafeInteger(Number(expr.value)) ? Number(expr.value) : expr.value;
    case "string": {
      const [text = "", ...more] = expr.parts;
      return typeof text === "string" && more.length === 0 ? text : undefined;
    }
    case "list": {
      const items = expr.items.map((item) => (item.kind === "comment" ? undefined : toData(item)));
      return items.every((item) => item !== undefined) ? items : undefined;
    }
    case "attrs": {
      const entries: [string, PlainData][] = [];
      for (const entry of expr.entries) {
        if (entry.kind !== "binding") return undefined;
        const [key, ...below] = entry.path;
        const value = toData(entry.value);
        if (key === undefined || below.length > 0 || value === undefined) return undefined;
        entries.push([key, value]);
      }
      return Object.fromEntries(entries);
    }
    default:
      return undefined;
  }
}
