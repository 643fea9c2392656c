import type { Json } from "#core/canonical-json.ts";
import type { SpecDraft } from "../draft.ts";
import type { Input } from "../input.ts";
import { setOwn } from "../own-key.ts";

/** Sets an option of NixOS that the spec has no word for, as said by a value of the document. */
export function setOption(draft: SpecDraft, name: string, value: Json, input: Input): void {
  draft.spec.options ??= {};
  setOwn(draft.spec.options as { [name: string]: Json }, name, value);
  draft.origin(["options", name], input);
}
