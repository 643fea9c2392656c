import { createHash } from "node:crypto";
import { isSecretRef } from "#core/secret.ts";
import type { Network } from "#generated/provisioner/spec/v1.ts";
import type { Profile } from "./network-manager/sections.ts";

/** A file that a secret of the network goes to; see `network-secrets.ts`. */
export interface NetworkFile {
  readonly name: string;
  readonly from: readonly string[];
  /** What stands in it: a secret as it is, or lines of `key=secret`. */
  readonly parts: readonly { readonly secretRef: string; readonly key?: string }[];
  /** Group that may read it; `undefined` for that of networkd. */
  readonly group: string | undefined;
  /** Units that read it; `undefined` for networkd. */
  readonly units: readonly string[] | undefined;
  /** Whether its lines are variables for NetworkManager's profiles, which root alone may read. */
  readonly isEnvironment?: true;
}

/** The group that wpa_supplicant runs as where it has one. */
export const wirelessGroup = "wpa_supplicant";

/** The file of lines `name=password` that wpa_supplicant reads; no file of `networkSecrets` can have its name. */
export const wirelessFile = "_wireless";

/** The file of variables that NixOS puts into profiles of NetworkManager; no file of `networkSecrets` can have its name. */
export const managerFile = "_network-manager";

/** The unit of NixOS that writes these profiles. */
export const managerUnit = "NetworkManager-ensure-profiles.service";

/** The variable that a secret is for a profile of NetworkManager: letters, digits and `_`, whatever its name. */
export function variableOf(secretRef: string): string {
  const digest = createHash("sha256").update(secretRef).digest("hex").slice(0, 8);
  const words = secretRef.toUpperCase().replaceAll(/[^A-Z0-9]+/g, "_");
  return `FIRSTLIGHT_${words}_${digest}`;
}

/** The name of the file of a key of WireGuard; no file of `networkSecrets` can have it. */
export function wireguardFile(secretRef: string): string {
  return `_${secretRef}`;
}

/** The names of the secrets that stand in profiles, each once. */
export function secretRefsOf(profiles: readonly Profile[]): readonly string[] {
  const values = profiles.flatMap(({ sections }) =>
    sections.flatMap(({ settings }) => settings.map(([, value]) => value)),
  );
  const refs = values.flatMap((value) => (isSecretRef(value) ? [value.secretRef] : []));
  return [...new Set(refs)].sort();
}

/** The file that NetworkManager needs of its profiles: one, with all of their secrets. */
export function secretsOfManager(profiles: readonly Profile[]): readonly NetworkFile[] {
  const refs = secretRefsOf(profiles);
  if (refs.length === 0) return [];
  const parts = refs.map((secretRef) => ({ secretRef, key: variableOf(secretRef) }));
  return [
    {
      ...{ name: managerFile, from: ["network"], parts, group: "root" },
      ...{ units: [managerUnit], isEnvironment: true },
    },
  ];
}

/** The files that networkd needs: one for each key of WireGuard, and one of all passwords of WLANs. */
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
