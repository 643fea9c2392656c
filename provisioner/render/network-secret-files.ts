import type { Network } from "#generated/provisioner/spec/v1.ts";

/** A file that a secret of the network goes to; see `network-secrets.ts`. */
interface NetworkFile {
  readonly name: string;
  readonly from: readonly string[];
  readonly parts: readonly { readonly secretRef: string; readonly key?: string }[];
  readonly group: string | undefined;
  readonly units: readonly string[] | undefined;
}

/** The group that wpa_supplicant runs as where it has one. */
export const wirelessGroup = "wpa_supplicant";

/** The file of lines `name=password` that wpa_supplicant reads; no file of `networkSecrets` can have its name. */
export const wirelessFile = "_wireless";

/** The name of the file of a key of WireGuard; no file of `networkSecrets` can have it. */
export function wireguardFile(secretRef: string): string {
  return `_${secretRef}`;
}

/** The files that a network needs: one for each key of WireGuard, and one of all passwords of WLANs. */
export function secretsOfNetwork({ tunnels = {}, wifis = {} }: Network): readonly NetworkFile[] {
  const keys = new Map<string, readonly string[]>();
  for (const [name, { mode, privateKey, peers = [] }] of Object.entries(tunnels)) {
    if (mode !== "wireguard") continue;
    for (const secret of [privateKey, ...peers.map(({ presharedKey }) => presharedKey)])
      if (secret !== undefined) keys.set(secret.secretRef, ["network", "tunnels", name]);
  }
  const ofTunnels = [...keys].map(([secretRef, from]) => ({
    ...{ name: wireguardFile(secretRef), from, parts: [{ secretRef }] },
    ...{ group: undefined, units: undefined },
  }));
  const passwords = Object.values(wifis).flatMap(({ accessPoints = {} }) =>
    Object.values(accessPoints).flatMap(({ password }) => password?.secretRef ?? []),
  );
  if (passwords.length === 0) return ofTunnels;
  const parts = [...new Set(passwords)].sort().map((secretRef) => ({ secretRef, key: secretRef }));
  const names = interfacesOf(wifis);
  const units = (names ?? []).map((name) => `wpa_supplicant-${name}.service`);
  return [
    ...ofTunnels,
    {
      ...{ name: wirelessFile, from: ["network", "wifis"], parts, group: wirelessGroup },
      units: names === undefined ? ["wpa_supplicant.service"] : units,
    },
  ];
}

/**
 * The names of the wireless interfaces; `undefined` where a pattern stands among them, which names none:
 * then wpa_supplicant takes every one that it finds.
 */
export function interfacesOf(wifis: NonNullable<Network["wifis"]>): readonly string[] | undefined {
  const names = Object.entries(wifis)
    .map(([name, { setName, match }]) => setName ?? match?.name ?? name)
    .sort();
  return names.every((name) => /^[A-Za-z0-9_.-]+$/.test(name)) ? names : undefined;
}
