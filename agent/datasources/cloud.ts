import type { Json } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Finding } from "#core/finding.ts";
import type { Files } from "#core/io.ts";
import type { Datasource, Detection } from "./datasource.ts";
import { type Identity, readIdentity } from "./identity.ts";
import { listInterfaces } from "./interfaces.ts";
import type { MetadataClient, MetadataService } from "./metadata/service.ts";

/**
 * A cloud that describes its machines by a metadata service: one file each, listed in `table.ts`. These
 * files are on the way of every boot, so that they load nothing heavy: what reading takes is handed in.
 */
export interface Cloud {
  /** Name as cloud-init spells it. */
  readonly name: string;
  readonly service: MetadataService;
  /**
   * Whether this machine is on this cloud, by what its firmware says: one observation in words for a
   * person (`product name: …`), or `undefined`.
   */
  readonly identify: (identity: Identity) => string | undefined;
  /**
   * Where this machine finds the service, by what its files say, for clouds that have it in another
   * place on each network; empty where they say nothing. Throws `datasource/none` where the cloud has
   * no service for this machine.
   */
  readonly addressesOn?: (files: Files) => readonly string[];
  /** Asks for everything that is read below; what is asked is kept by its path. */
  readonly crawl: (client: MetadataClient) => Promise<void>;
  /** What the answers say. Throws `datasource/malformed`, `datasource/missing`. */
  readonly read: (answers: AnswerReader) => CloudInstance;
}

/** The answers of a service as values. Each throws `datasource/malformed` with the address where it must. */
export interface AnswerReader {
  bytes(path: string): Uint8Array | undefined;
  /** UTF-8 without white space at its ends; `undefined` also where that is empty. */
  text(path: string): string | undefined;
  /** Lines that hold something. */
  lines(path: string): readonly string[];
  json(path: string): Json | undefined;
  /** The object behind a path that must be there. Throws `datasource/missing`. */
  object(path: string): JsonObject;
  /** Names of this machine's network interfaces by their MAC addresses, in lower case. */
  readonly interfaces: ReadonlyMap<string, string>;
  /** A fault that says what is wrong with an answer. */
  malformed(path: string, problem: string): Fault;
  /** Paths that have an answer and begin so, sorted. */
  paths(prefix: string): readonly string[];
  /** Says something of an answer. */
  find(path: string, about: Pick<Finding, "level" | "code" | "message" | "hint">): void;
}

/** What a JSON object holds. */
export type JsonObject = { readonly [key: string]: Json };

/** What a cloud says of a machine. */
export interface CloudInstance {
  /**
   * In the words of cloud-init's meta-data: `instance-id`, `local-hostname`, `public-keys`, and what
   * its standard keys are made of (`region`, `availability-zone`, `instance-type`), beside whatever else
   * the cloud says. A secret in it is set apart.
   */
  readonly metaData: { readonly [key: string]: Json | undefined };
  readonly userData?: Uint8Array | undefined;
  readonly vendorData?: Uint8Array | undefined;
  /** A network-config (version 1 or 2). */
  readonly networkConfig?: JsonObject | undefined;
}

/** The datasource of a cloud. */
export function cloudDatasource(cloud: Cloud): Datasource {
  const { name } = cloud;
  return {
    name,
    needs: "network",
    detect({ files }, observe = () => {}) {
      const observation = cloud.identify(readIdentity(files));
      if (observation === undefined) return undefined;
      observe(observation);
      const evidence = [observation];
      return { place: `metadata service of ${name}`, identity: name, removable: false, evidence };
    },
    async read({ files }, detection: Detection, tools) {
      if (tools?.crawl === undefined) {
        throw new Fault("datasource/none", `${name} is read over the network, which is not up yet`);
      }
      const addresses = cloud.addressesOn?.(files);
      const report = await tools.crawl({
        ...{ datasource: name, budgetMs: tools.budgetMs },
        ...(addresses === undefined ? {} : { addresses }),
      });
      const { readCloud } = await import("./cloud-content.ts");
      return readCloud(cloud, detection, report, listInterfaces(files));
    },
  };
}
