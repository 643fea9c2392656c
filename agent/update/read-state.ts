import type { Files } from "#core/io.ts";
import type { UpdateState } from "#generated/protocol/messages/update.ts";
import { stateFile } from "./places.ts";

/** Where the update stands, for any process; `undefined` where there never was one, or it cannot be read. */
export function readUpdateState(files: Files): UpdateState | undefined {
  try {
    const text = files.readText(stateFile, { maxBytes: 64 * 1024 });
    if (text === undefined) return undefined;
    const { v, ...state } = JSON.parse(text) as UpdateState & { readonly v?: unknown };
    return v === 1 && typeof state.state === "string" ? state : undefined;
  } catch {
    return undefined;
  }
}
