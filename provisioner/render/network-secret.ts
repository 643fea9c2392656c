/**
 * The file that networkd reads a secret of the network from: keys of WireGuard. `undefined` as long
 * as nothing puts it where networkd's own user may read it.
 */
export function networkSecretPath(_secretRef: string): string | undefined {
  return undefined;
}
