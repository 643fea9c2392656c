import type { Finding } from "#core/finding.ts";
import type { SecretBag } from "#core/secret.ts";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import type { InputDocument } from "./input-document.ts";
import type { SplitContext } from "./parts/split.ts";
import type { VendorGated } from "./vendor-firstlight.ts";

/** A raw document of a datasource or a file. */
export interface RawDocument {
  /** Name used in findings: `user-data`, `vendor-data`, `network-config`, a file name. */
  readonly document: string;
  readonly bytes: Uint8Array;
  /** What it is, where its first line does not say it. */
  readonly format?: "cloud-config" | "firstlight";
}

/** What a translator may know beside the document; plain values, so that it stays pure. */
export interface TranslationContext extends SplitContext {
  /** From the meta-data: what a document without a hostname gets. */
  readonly hostname: string | null;
  /** From the meta-data: keys of the default user. */
  readonly publicKeys: readonly string[];
  /** Account that `ssh_authorized_keys` and the meta-data's keys go to when no document names one. */
  readonly defaultUser: string;
  /** What is done once, is done once for it, and it is part of the salt of passwords; none where a document is looked at away from its node. */
  readonly instanceId?: string | undefined;
  /** Name of the datasource, for texts that say it; none where a document is looked at away from its node. */
  readonly datasource?: string | undefined;
  /** What is behind addresses that documents name (`#include`, `write_files: source`), fetched beforehand; absent ones become findings. */
  readonly fetched: ReadonlyMap<string, Uint8Array>;
  /** Those addresses of files that were not read because all of them together were too much. */
  readonly beyondLimits?: ReadonlySet<string> | undefined;
  /** Whether the image takes modules of NixOS from user-data; absent where nobody knows. */
  readonly nixModules?: boolean;
  /** What vendor-data may say of those that are not its to say, by the settings of the image; nothing when absent. */
  readonly vendorFirstlight?: readonly VendorGated[] | undefined;
  /** Secrets beside the document, by the names that it refers to. */
  readonly secrets?: SecretBag | undefined;
  /** Looks at the cloud-config and what is said of it, and gives back all that is to be said. */
  readonly inspect?: (config: InputDocument, findings: readonly Finding[]) => readonly Finding[];
}

/** Where in which document a value of the spec was set; lines and columns from 1. */
export interface Origin {
  readonly document: string;
  readonly line: number | null;
  readonly column: number | null;
  /** Path by which findings name it, with dots, where entries before it were taken out of its list. */
  readonly path?: string;
}

/** How many leaves of the documents were translated, are done by the agent, or have no meaning here (each then has a finding). */
export interface Coverage {
  readonly translated: number;
  readonly agent: number;
  readonly unsupported: number;
}

/** Documents -> one spec. Never throws for bad input: findings say what is wrong. */
export interface Translation {
  /** A valid spec when no finding is an error. */
  readonly spec: Spec;
  /** Values of every `secretRef` in the spec. */
  readonly secrets: SecretBag;
  readonly findings: readonly Finding[];
  readonly coverage: Coverage;
  /** Documents of findings that are the cloud's: its vendor-data, and what that names. */
  readonly vendorDocuments: readonly string[];
  /** Origin by path in the spec, keys and indices joined by dots (`users.alice.shell`, `files.0`). */
  readonly origins: ReadonlyMap<string, Origin>;
}
