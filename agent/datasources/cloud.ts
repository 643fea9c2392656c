import type { Json } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Finding } from "#core/finding.ts";
import type { Files } from "#core/io.ts";
import type { ConfigDriveSeed } from "./config-drive-documents.ts";
import type { Datasource, Detection } from "./datasource.ts";
import { type Identity, readIdentity } from "./identity.ts";
import { type Machine, readMachine } from "./machine.ts";
import type { OAuthKeys } from "./metadata/oauth.ts";
import type { MetadataClient, MetadataService, Tokens } from "./metadata/service.ts";
import { NeedsNetwork } from "./needs-network.ts";

/**
 * A cloud that describes its machines by a metadata service: one file each, listed in `table.ts`. These
 * files are on the way of every boot, so that they load nothing heavy: what reading takes is handed in.
 */
export interface Cloud {
  /** Name as cloud-init spells it. */
  readonly name: string;
  readonly service: MetadataService;
  /** Whether it takes an address of the link (169.254.0.0/16) to be asked, and machines may be leased none. */
  readonly linkLocal?: boolean;
  /** Whether the service is on the machine itself, behind a socket or a serial line. */
  readonly onMachine?: boolean;
  /**
   * Whether this machine is on this cloud, by what its firmware says: one observation in words for a
   * person (`product name: …`), or `undefined`.
   */
  readonly identify: (identity: Identity) => string | undefined;
  /** The same by other files, where the firmware says nothing. Throws `datasource/malformed`. */
  readonly identifyBy?: (files: Files) => string | undefined;
  /** By what right this machine asks, where its files say one. */
  readonly oAuth?: (files: Files) => OAuthKeys | undefined;
  /**
   * Where this machine finds the service, by what its files say, for clouds that have it in another
   * place on each network; empty where they say nothing. Throws `datasource/none` where the cloud has
   * no service for this machine.
   */
  readonly addressesOn?: (files: Files) => readonly string[];
  /** Beside those, where it may be by a host name that only the cloud's name servers know. */
  readonly named?: readonly string[];
  /**
   * Whether this machine asks with tokens, where that is not the same on all of them; `undefined` as the
   * service has it.
   */
  readonly tokensOn?: (identity: Identity, policy: TokenPolicy) => Tokens | undefined;
  /**
   * What the service calls this machine, any of these, where the firmware says so as well (`speaksOf` of the
   * service); empty where it does not.
   */
  readonly expected?: (identity: Identity) => readonly string[];
  /** Asks for everything that is read below; what is asked is kept by its path. */
  readonly crawl: (client: MetadataClient) => Promise<void>;
  /**
   * What the answers say. Throws `datasource/malformed`, `datasource/missing`, and `datasource/none`
   * where the owner does not want it. Readers that are heavy are loaded here.
   */
  readonly read: (answers: AnswerReader) => CloudInstance | Promise<CloudInstance>;
  /**
   * What identity of the instance programs take from the service, as a part of a sentence (`an IAM
   * role`), by its answers; also where they leave it open.
   */
  readonly workloadIdentity?: (answers: AnswerReader) => string | undefined;
  /** A document that lies on the machine itself, of a cloud that says a part by a disc. */
  readonly local?: (files: Files) => Promise<LocalDocument>;
  /**
   * For a cloud that takes a machine for failed that does not say that it is up: how it is told, or why
   * the machine will not be.
   */
  readonly ready?: Pick<Cloud, "service"> & {
    readonly tell: (client: MetadataClient, problem?: string) => Promise<void>;
    /** Before that, keeps what the cloud takes away then. Writes of files only. */
    readonly keep?: (files: Files) => Promise<void>;
  };
}

/** What the owner allows. */
export interface TokenPolicy {
  /** `metadata.imdsv1` of the settings. */
  readonly imdsv1: boolean;
}

/** A document on the machine, or why there is none. */
export interface LocalDocument {
  /** In words for a person: `/dev/sr0: ovf-env.xml`. */
  readonly place: string;
  readonly bytes: Uint8Array | undefined;
  /** Why it could not be read, where something was there. */
  readonly problem: Fault | undefined;
}

/** What reading an answer knows of the machine itself. */
export interface CloudMachine extends Machine {
  /** What lies on the machine itself (`Cloud.local`). */
  readonly local?: LocalDocument | undefined;
}

/** The answers of a service as values. Each throws `datasource/malformed` with the address where it must. */
export interface AnswerReader extends CloudMachine {
  /** The address that answered. */
  readonly url: string;
  bytes(path: string): Uint8Array | undefined;
  /** UTF-8 without white space at its ends; `undefined` also where that is empty. */
  text(path: string): string | undefined;
  /** Lines that hold something. */
  lines(path: string): readonly string[];
  json(path: string): Json | undefined;
  /** The same of YAML. */
  yaml(path: string): Json | undefined;
  /** The object behind a path that must be there. Throws `datasource/missing`. */
  object(path: string): JsonObject;
  /** Paths that have an answer and begin so, sorted. */
  paths(prefix: string): readonly string[];
  /** A fault that says what is wrong with an answer. */
  malformed(path: string, problem: string): Fault;
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
  /** What stands for a missing instance-id; `iid-` and the name of the datasource when absent. */
  readonly defaultInstanceId?: string;
  readonly userData?: Uint8Array | undefined;
  readonly vendorData?: Uint8Array | undefined;
  /** A network-config (version 1 or 2), as values or as the document that it is. */
  readonly networkConfig?: JsonObject | Uint8Array | undefined;
  /** Whether there is none because what is said of it cannot be meant; a finding says so. */
  readonly lacksNetwork?: boolean;
  /** The documents instead of those above, where they are those of a config drive. */
  readonly seed?: ConfigDriveSeed;
}

/** The datasource of a cloud. */
export function cloudDatasource(cloud: Cloud): Datasource {
  const { name, onMachine = false, linkLocal = false } = cloud;
  const detectionBy = (observation: string): Detection => {
    const evidence = [observation];
    return { place: `metadata service of ${name}`, identity: name, removable: false, evidence };
  };
  return {
    name,
    needs: onMachine ? "nothing" : "network",
    ...(onMachine ? {} : { force: detectionBy }),
    detect({ files }, observe = () => {}) {
      const observation = cloud.identify(readIdentity(files)) ?? cloud.identifyBy?.(files);
      if (observation === undefined) return undefined;
      observe(observation);
      return detectionBy(observation);
    },
    async read({ files, clock }, detection: Detection, tools) {
      if (tools?.crawl === undefined) {
        if (onMachine) throw new Fault("datasource/none", `${name} is read by the boot itself`);
        throw new NeedsNetwork(name, linkLocal);
      }
      const addresses = cloud.addressesOn?.(files);
      const oAuth = cloud.oAuth?.(files);
      const { imdsv1 = false } = tools;
      const identity = readIdentity(files);
      const tokens = cloud.tokensOn?.(identity, { imdsv1 });
      const expected = cloud.expected?.(identity);
      const report = await tools.crawl({
        ...{ datasource: name, budgetMs: tools.budgetMs },
        ...(addresses === undefined ? {} : { addresses }),
        ...(cloud.named === undefined ? {} : { named: cloud.named }),
        ...(oAuth === undefined ? {} : { oAuth }),
        ...(tokens === undefined ? {} : { tokens }),
        ...(expected === undefined ? {} : { expected }),
      });
      const { readCloud } = await import("./cloud-content.ts");
      const machine = {
        ...readMachine({ files, clock }, tools),
        local: await cloud.local?.(files),
      };
      return readCloud(cloud, detection, report, machine);
    },
  };
}
