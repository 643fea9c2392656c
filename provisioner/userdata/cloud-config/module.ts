import type { SpecDraft } from "../draft.ts";
import type { Input } from "../input.ts";
import type { TranslationContext } from "../translation.ts";

/** What a module of cloud-config may read and write. */
export interface ModuleInput {
  /** The whole document: a mapping. */
  readonly config: Input;
  readonly draft: SpecDraft;
  readonly context: TranslationContext;
}

/** The translation of one cloud-init module: which top-level keys it owns, and its rule. */
export interface CloudConfigModule {
  /** Name of the module as cloud-init documents it. */
  readonly name: string;
  readonly keys: readonly string[];
  /** What becomes of the keys, in a few sentences; it stands in `docs/cloud-config.md`. */
  readonly rule: string;
  /** A cloud-config, without its first line, that shows it; it stands there with its spec. Empty for one without keys. */
  readonly example: string;
  /** What the addresses in the example hold. */
  readonly fetched?: ReadonlyMap<string, Uint8Array>;
  /** That none of its keys is translated: NixOS has nothing of the kind. */
  readonly isRefused?: true;
  translate(input: ModuleInput): void;
}
