import type { Json } from "#core/canonical-json.ts";
import type { Finding } from "#core/finding.ts";
import type { CloudInstance } from "./cloud.ts";
import { makeContent } from "./content.ts";
import type { DatasourceContent, Instance } from "./datasource.ts";

/** What a datasource says of a machine, and where it was read. */
export interface SaidInstance {
  readonly datasource: Instance["datasource"];
  readonly instance: CloudInstance;
  readonly findings: readonly Finding[];
}

/** The content of a datasource that says an instance in the words of cloud-init's meta-data. */
export function instanceContent({
  datasource,
  instance,
  findings,
}: SaidInstance): DatasourceContent {
  const { userData, vendorData, networkConfig, seed } = instance;
  const said = Object.entries(instance.metaData).filter(
    (entry): entry is [string, Json] => entry[1] !== undefined,
  );
  return makeContent({
    datasource,
    metaData: {
      ...(seed?.metaData ?? { findings: [], locate: () => undefined }),
      value: Object.fromEntries(said),
    },
    ...(seed === undefined ? {} : { publicKeys: seed.publicKeys }),
    documents: seed?.documents ?? {
      userData,
      vendorData,
      networkConfig: networkBytes(networkConfig),
    },
    defaultInstanceId: instance.defaultInstanceId ?? `iid-${datasource.name.toLowerCase()}`,
    findings: [...findings, ...(seed?.findings ?? [])],
  });
}

function networkBytes(network: CloudInstance["networkConfig"]): Uint8Array | undefined {
  if (network === undefined || network instanceof Uint8Array) return network;
  return Buffer.from(JSON.stringify(network));
}
