/** Whether whoever is on the way can change what is behind an address. */
export function isUnprotected(address: string): boolean {
  return /^http:/i.test(address);
}
