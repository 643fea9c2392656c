/**
 * The file that networkd reads a secret of the network from: keys of WireGuard. `undefined` as long
 * as nothing puts it where networkd's own user may read it.
 */
export function networkSecretPath(_secretRef: string): string | undefined {
  return undefined;
}

/**
 * The file of lines `name=value` that wpa_supplicant reads passwords from, by the names of their
 * secrets; `undefined` as long as nothing writes it.
 */
export const networkSecretsFile: string | undefined = undefined;
