import type { Facts } from "#generated/provisioner/facts/facts.ts";
import { knownText } from "#provisioner/profiles/known-text.ts";

/** What a person calls a machine, and what says so. */
export interface MachineName {
  readonly text: string;
  /** `board`: the machine itself has none; `nothing`: neither has its board. */
  readonly by: "product" | "board" | "device-tree" | "nothing";
}

/**
 * The name of a machine: of its product, else of its board, else of the device tree. What makers
 * leave where they fill in nothing is no name.
 */
export function machineName({ dmi, deviceTree }: Facts): MachineName {
  const product = productName(dmi);
  if (product !== null) return { text: product, by: "product" };
  const board = withMaker(knownText(dmi?.boardVendor ?? null), knownText(dmi?.boardName ?? null));
  if (board !== null) return { text: board, by: "board" };
  const model = deviceTree?.model ?? deviceTree?.compatible[0] ?? null;
  if (model !== null) return { text: model, by: "device-tree" };
  const isThereBoard = dmi !== null || deviceTree !== null;
  return { text: isThereBoard ? "a board without a name" : "an unknown machine", by: "nothing" };
}

function productName(dmi: Facts["dmi"]): string | null {
  const vendor = knownText(dmi?.sysVendor ?? null);
  const product = knownText(dmi?.productName ?? null);
  const version = knownText(dmi?.productVersion ?? null);
  // Lenovo's product name is the type of the machine, and its version is what it is sold as.
  if (vendor?.toLowerCase() === "lenovo" && version !== null) {
    return withMaker(vendor, product === null ? version : `${version} (${product})`);
  }
  return withMaker(vendor, product);
}

/** `null` without a name; a name that begins with its maker says it once. */
function withMaker(maker: string | null, name: string | null): string | null {
  if (name === null || maker === null) return name;
  return name.toLowerCase().startsWith(maker.toLowerCase()) ? name : `${maker} ${name}`;
}
