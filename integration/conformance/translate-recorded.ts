import { referencedSources } from "#provisioner/userdata/referenced-sources.ts";
import { translate } from "#provisioner/userdata/translate.ts";
import type { Translation } from "#provisioner/userdata/translation.ts";

/** The machine that recorded documents are translated for. */
export const recordedContext = { hostname: "node", publicKeys: [], defaultUser: "nixos" };
/** What every account that a document names has. */
const key = Buffer.from("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5A\n");

/** What becomes of a cloud-config, whatever its first line is. */
export function translateConfig(text: string): Translation {
  const userData = {
    document: "user-data",
    bytes: Buffer.from(text),
    format: "cloud-config",
  } as const;
  const addresses = referencedSources({ userData }).addresses.filter((address) =>
    address.startsWith("https:"),
  );
  const fetched = new Map(addresses.map((address) => [address, key]));
  return translate({ userData }, { ...recordedContext, fetched });
}

/** What becomes of a network config. */
export function translateNetwork(name: string, text: string): Translation {
  const networkConfig = { document: name, bytes: Buffer.from(text) };
  return translate({ networkConfig }, { ...recordedContext, fetched: new Map() });
}
