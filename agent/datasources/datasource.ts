import type { Json } from "#core/canonical-json.ts";
import type { Finding } from "#core/finding.ts";
import type { Io } from "#core/io.ts";
import type { SecretBag, SecretRef } from "#core/secret.ts";
import type { Release } from "#generated/protocol/trust/release.ts";
import type { Health } from "#generated/provisioner/spec/v1.ts";
import type { MetadataPlace } from "#provisioner/render/metadata-service.ts";
import type { Place } from "./first-readable.ts";
import type { Crawl, MetadataAttempt } from "./metadata/service.ts";
import type { Search } from "./search.ts";

/** What reading a datasource needs. Detection never needs anything but the kernel's files. */
export type Needs = "nothing" | "disk" | "network";

/**
 * One cloud, or another place that says what a machine is to become. One file each, listed in
 * `table.ts`.
 */
export interface Datasource<Found extends Detection = Detection> {
  /** Name as cloud-init spells it: `NoCloud`, `Ec2`. */
  readonly name: string;
  readonly needs: Needs;
  /**
   * Whether this machine is on this datasource, from the kernel's files and block devices alone.
   * `undefined` means it is not; a throw (`datasource/malformed`) means it is, and it is broken.
   * The two are never merged. `observe` is told of everything looked at, also of what did not fit.
   */
  detect(io: Io, observe?: Observe): Found | undefined;
  /**
   * The same detection with the place first that a node is pinned to, without what would be read before or
   * beside it, for one that may be found at several places at once; as it is where that place is not
   * among them.
   */
  preferring?(detection: Found, identity: string): Found;
  /**
   * What is taken for its detection where the owner says that this machine is on it and nothing else
   * does: one that needs no place to be found. `by` says who.
   */
  force?(by: string): Found;
  /**
   * Reads everything. Throws `datasource/malformed` or `datasource/missing`, never returns half; one
   * that needs the network, or asks a hypervisor, throws `datasource/none` where `tools` cannot.
   */
  read(io: Io, detection: Found, tools?: ReadTools): Promise<DatasourceContent>;
}

/** What reading a datasource may use beside the machine. */
export interface ReadTools {
  /** Goes to the network; absent where that is not up. */
  readonly crawl?: Crawl | undefined;
  /**
   * Reads the file behind an address, `undefined` where there is none; absent where the network is not
   * up. `refused` takes a refusal that is final, and then there is none; without it that is
   * `datasource/unreachable`. Throws that, and `datasource/malformed` where it is larger.
   */
  readonly fetch?:
    | ((
        url: string,
        maxBytes: number,
        refused?: (status: number) => void,
      ) => Promise<Uint8Array | undefined>)
    | undefined;
  /** For everything that a metadata service is asked, in milliseconds. */
  readonly budgetMs: number;
  /** Account that keys without a user go to. */
  readonly defaultUser: string;
  /** Whether a metadata service that gives no token is asked without one. */
  readonly imdsv1?: boolean;
}

/** Takes one observation, in words for a person: `/dev/vda: neither ISO 9660 nor FAT`. */
export type Observe = (observation: string) => void;

/** Where a datasource was found and why it is believed. */
export interface Detection {
  /** Which of its places, in words for a person: `seed directory /var/lib/cloud/seed/nocloud`. */
  readonly place: string;
  /**
   * Stable identity of the place, for pinning: the same disk, directory or cloud gives the same
   * text on every boot.
   */
  readonly identity: string;
  /** Whether the place can be carried from machine to machine (a disk, a stick). */
  readonly removable: boolean;
  /** Each line one observation: `/dev/sr0: ISO 9660, label cidata`. */
  readonly evidence: readonly string[];
  /**
   * Whether files leave it open, because only the hypervisor knows: then reading says `datasource/none`
   * where it is not this one, and the next one is looked at.
   */
  readonly tentative?: boolean;
  /** Places that were found and are not read, because the node is pinned to this one without them. */
  readonly leftOut?: readonly Place[];
}

/** What a datasource says, with every secret beside it. */
export interface DatasourceContent {
  readonly instance: Instance;
  /** Values of every `secretRef` in the instance, among them the raw documents. */
  readonly secrets: SecretBag;
  readonly findings: readonly Finding[];
  /** What the user-data is called, and what it is where its first line does not say it. */
  readonly userData?: { readonly document: string; readonly format?: "firstlight" };
  /** What the network config is called, where another place than the datasource says it. */
  readonly network?: { readonly document: string };
  /** The metadata service that says it; absent where none does. */
  readonly metadataService?: MetadataPlace;
  /** Whether something did not come, or not as it can be meant, that the machine may be made from: a later boot may have it. */
  readonly incomplete?: boolean;
  /** The exchanges with a metadata service, the first and the last ones. */
  readonly attempts?: readonly MetadataAttempt[];
  /** How many exchanges there were between those. */
  readonly unrecorded?: number;
  /** How it was found; `discover` adds it. */
  readonly search?: Search;
  /** The release of the fleet that stands in place of the user-data; absent where none does. */
  readonly release?: SignedRelease;
  /** The built system that such a release is, where it has nothing to render: no document counts then. */
  readonly releasedSystem?: ReleasedSystem;
}

/** A release that is a built system, and nothing else. */
export interface ReleasedSystem {
  readonly release: SignedRelease;
  readonly closure: NonNullable<Release["closure"]>;
  /** What the release calls healthy; the defaults where it says nothing. */
  readonly health: Health | undefined;
}

/** Which release of the fleet it is; its signatures were verified when it came. */
export interface SignedRelease {
  readonly name: string;
  /** Of its document. */
  readonly sha256: string;
}

/**
 * What a datasource says of this machine: plain JSON without a secret in it, safe to print and to
 * store. Raw documents (user-data may hold anything) are references into the secret bag.
 */
export interface Instance {
  readonly v: 1;
  readonly datasource: {
    readonly name: string;
    readonly place: string;
    readonly identity: string;
    readonly removable: boolean;
    readonly evidence: readonly string[];
  };
  readonly instanceId: string;
  /** `local-hostname` (or `hostname`) of the meta-data. */
  readonly hostname: string | null;
  /** Public keys of the meta-data, in order. */
  readonly publicKeys: readonly string[];
  /** The whole meta-data, secret leaves replaced by references. */
  readonly metaData: Json;
  readonly userData: SecretRef | null;
  readonly vendorData: SecretRef | null;
  /** What counts more than that; only OpenStack has such. */
  readonly vendorData2?: SecretRef;
  readonly networkConfig: SecretRef | null;
  /** Secrets beside the documents, by the names that the spec refers to; absent where there are none. */
  readonly secrets?: { readonly [name: string]: SecretRef };
}

/** Names under which raw documents lie in the secret bag. */
export const rawDocuments = {
  userData: "user-data",
  vendorData: "vendor-data",
  vendorData2: "vendor-data2",
  networkConfig: "network-config",
} as const;
