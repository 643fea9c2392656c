import type { LinkSettings } from "#generated/provisioner/spec/v1.ts";
import type { Tell } from "./tell.ts";

/** What an interface says of its addresses, and where it says it. */
export interface IpInput {
  readonly settings: LinkSettings;
  readonly from: readonly string[];
  /** Whether frames go over it: else nobody leases addresses on it, and no router tells of itself. */
  readonly hasFrames: boolean;
  readonly tell: Tell;
}

/** The rest of a message about what needs addresses. */
export function noAddresses(what: string): { readonly message: string; readonly hint: string } {
  return {
    message: `NetworkManager sets no ${what} where the interface has no addresses of the family`,
    hint: "give it an address, or ask DHCP or routers for one",
  };
}
