/** What a part of user-data is once nothing more is to be taken out of it. */
export type PartFormat =
  | "cloud-config"
  | "cloud-config-jsonp"
  | "script"
  | "script-per-boot"
  | "script-per-instance"
  | "script-per-once"
  | "cloud-boothook"
  | "firstlight"
  | "nix";

/** One part of a raw document: all of it, or one of those that it holds or names. */
export interface UserDataPart {
  /** Name used in findings: `user-data`, `user-data: part 2 (setup.sh)`, the address of an include. */
  readonly document: string;
  readonly format: PartFormat;
  /** Decoded and unpacked; of a template, what it was rendered to. */
  readonly content: Uint8Array;
  /** The same as text; `undefined` where it is no text. */
  readonly text: string | undefined;
  readonly filename: string | null;
  /** Its number among the parts, from 1, as cloud-init counts them to name those without a name. */
  readonly number: number;
  /** How it says that it is merged into those before it, by its header. */
  readonly mergeType: string | null;
  readonly launchIndex: number | null;
  /** Whether it is what a template was rendered to. */
  readonly isTemplate: boolean;
  /** The line of the raw document that it begins in; 1 where its lines are not those of that document. */
  readonly firstLine: number;
}

/** A part that is a template and was not rendered yet. */
export interface TemplatePart {
  readonly document: string;
  /** Without the line that says that it is one. */
  readonly template: string;
  /** The line of the raw document that this begins in; see {@link UserDataPart.firstLine}. */
  readonly firstLine: number;
}

/** A document that another one names by its address. */
export interface WantedInclude {
  readonly address: string;
  /** Once per instance, and kept then. */
  readonly isOnce: boolean;
}
