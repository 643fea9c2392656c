import type { Finding } from "#core/finding.ts";
import type { Files } from "#core/io.ts";
import { Secret } from "#core/secret.ts";
import { type DatasourceContent, rawDocuments } from "../datasource.ts";
import { networkOfInitrd } from "./of-initrd.ts";
import { networkOfKernel } from "./of-kernel.ts";
import { networkOfSettings } from "./of-settings.ts";
import type { LocalPlace, LookedAt, SaidNetwork } from "./said-network.ts";

/** Who may say the network of a machine. */
export type NetworkPlace = LocalPlace | "datasource";

/** As cloud-init has it (`network_config_sources`, https://docs.cloud-init.io/en/latest/reference/network-config.html). */
const usualOrder: readonly NetworkPlace[] = ["kernel", "initrd", "settings", "datasource"];
/** Of those of whose network the initrd has brought up a part only, for the root or for the installer. */
const initrdLast: readonly NetworkPlace[] = ["kernel", "settings", "datasource", "initrd"];
const orders: ReadonlyMap<string, readonly NetworkPlace[]> = new Map([
  ["Oracle", initrdLast],
  ["MAAS", initrdLast],
]);

const readers: Readonly<Record<LocalPlace, (files: Files) => LookedAt>> = {
  kernel: networkOfKernel,
  initrd: networkOfInitrd,
  settings: networkOfSettings,
};

/**
 * The same content, with the network of the first place that says one, in cloud-init's order for this
 * datasource or in that of the owner: the kernel's command line, what the initrd has brought up,
 * cloud-init's settings, the datasource. Of a place that cannot be read there is an error, and the next one counts.
 */
export function chooseNetwork(
  files: Files,
  content: DatasourceContent,
  places?: readonly NetworkPlace[],
): DatasourceContent {
  const { name } = content.instance.datasource;
  const order = places ?? orders.get(name) ?? usualOrder;
  const ofDatasource = content.instance.networkConfig;
  const isSaid = (place: NetworkPlace) => place === "datasource" && ofDatasource !== null;
  const { said, findings } = firstOf(files, order, isSaid);
  const all = [...content.findings, ...findings];
  if (said === "datasource") return findings.length === 0 ? content : { ...content, findings: all };
  if (said === undefined && (ofDatasource === null || order.includes("datasource")))
    return { ...content, findings: all };
  const secrets = new Map(content.secrets);
  secrets.delete(rawDocuments.networkConfig);
  const bytes = said?.bytes;
  if (bytes !== undefined) secrets.set(rawDocuments.networkConfig, new Secret(bytes));
  const networkConfig = bytes === undefined ? null : { secretRef: rawDocuments.networkConfig };
  return {
    ...content,
    instance: { ...content.instance, networkConfig },
    secrets,
    ...(said === undefined ? {} : { network: { document: said.document } }),
    findings: [...all, ...tell(said, name, ofDatasource !== null)],
  };
}

/** The network of this machine itself, before its datasource can be asked; `undefined` where it says none. */
export function localNetwork(
  files: Files,
  places: readonly NetworkPlace[] = usualOrder,
): SaidNetwork | undefined {
  const { said } = firstOf(files, places, () => false);
  return said === "datasource" ? undefined : said;
}

interface Chosen {
  readonly said: SaidNetwork | "datasource" | undefined;
  readonly findings: readonly Finding[];
}

function firstOf(
  files: Files,
  order: readonly NetworkPlace[],
  isSaid: (place: NetworkPlace) => boolean,
): Chosen {
  const findings: Finding[] = [];
  for (const place of order) {
    if (isSaid(place)) return { said: "datasource", findings };
    if (place === "datasource") continue;
    const found = readers[place](files);
    findings.push(...found.findings);
    if (found.said !== undefined) return { said: found.said, findings };
  }
  return { said: undefined, findings };
}

/** Where somebody looks for the network of the datasource and does not find it. */
function tell(
  said: SaidNetwork | undefined,
  datasource: string,
  isPassedOver: boolean,
): readonly Finding[] {
  const what =
    said?.bytes === undefined
      ? "no network is made of what others say"
      : "the network is what stands here";
  const passed = isPassedOver ? `, and not what ${datasource} says` : "";
  return [
    {
      ...{ document: said?.document ?? datasource, path: "", line: null, column: null },
      ...{ level: "note", code: "network/other-place" },
      message:
        said === undefined
          ? "its network is not used: the settings do not name it"
          : `${what}${passed}`,
      hint: "take it away there, or name who may say it in the settings (`networkSources`)",
    },
  ];
}
