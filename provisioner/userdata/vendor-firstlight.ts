import type { Input } from "./input.ts";

/** What vendor-data may say under `firstlight` only where the settings of the image let it. */
export const vendorGated = ["report", "update", "options"] as const;

/** One of them. */
export type VendorGated = (typeof vendorGated)[number];

const meanings: Readonly<Record<VendorGated, string>> = {
  report: "where the node reports to",
  update: "who may change the node",
  options: "an option of NixOS",
};

/**
 * Leaves out what vendor-data says of these under `firstlight`, also where it stands among values of the user's: a
 * cloud may add to a machine, and not decide whom it belongs to. See `userData.vendorFirstlight` in the settings.
 */
export function leaveOutVendorFirstlight(
  firstlight: Input | undefined,
  vendorDocuments: readonly string[],
  allowed: readonly VendorGated[] = [],
): void {
  if (firstlight === undefined || vendorDocuments.length === 0) return;
  for (const key of vendorGated) {
    const part = allowed.includes(key) ? undefined : firstlight.get(key);
    if (part !== undefined) leaveOut(part, key, vendorDocuments);
  }
}

function leaveOut(input: Input, key: VendorGated, vendorDocuments: readonly string[]): void {
  if (!vendorDocuments.includes(input.origin().document)) {
    for (const part of input.parts()) leaveOut(part, key, vendorDocuments);
    return;
  }
  input.unsupported(
    {
      code: "user-data/vendor-data",
      message: `${meanings[key]} is not for vendor-data to say; it is not used`,
      hint: `put it into the user-data, or say \`userData: { vendorFirstlight: [${key}] }\` in /etc/firstlight/settings.json`,
    },
    "error", // one level less, as everything of vendor-data
  );
  input.countAs(undefined);
}
