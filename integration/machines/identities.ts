import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import type { Conditions } from "#generated/provisioner/profiles/profile.ts";
import { sharedDataDirectory } from "#provisioner/nixos-options/option-list.ts";
import { type Identity, parseIdentity } from "#provisioner/profiles/identity.ts";
import { knownText } from "#provisioner/profiles/known-text.ts";
import type { CompiledProfile } from "#provisioner/profiles/profile.ts";
import { sampleProfile } from "#provisioner/profiles/sample-profile.ts";

/** The SMBIOS strings of many real machines; `undefined` where they are not beside the repository. */
export function readIdentities(): readonly Identity[] | undefined {
  const file = path.join(sharedDataDirectory() ?? "", "hardware", "identities.jsonl.gz");
  if (!existsSync(file)) return undefined;
  const lines = gunzipSync(readFileSync(file)).toString("utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => parseIdentity(JSON.parse(line)));
}

/** One identity of each that differ in more than their id, with how many there are. */
export function distinctIdentities(
  identities: readonly Identity[],
): Iterable<readonly [Identity, number]> {
  const found = new Map<string, readonly [Identity, number]>();
  for (const identity of identities) {
    const key = identity.slice(1).join("\0");
    found.set(key, [identity, (found.get(key)?.[1] ?? 0) + 1]);
  }
  return found.values();
}

/**
 * Made-up profiles, as many as asked for, of machines spread over those given: by product
 * name, by version, and with a board's beginning as the witness, as profiles are really written.
 */
export function profilesOf(identities: readonly Identity[], count: number): CompiledProfile[] {
  // One machine in six has no name; twice as many are tried.
  const step = Math.floor(identities.length / (count * 2));
  const profiles: CompiledProfile[] = [];
  for (let number = 0; profiles.length < count && number < count * 2; number++) {
    const strings = (identities[number * step] ?? []).map((text) => knownText(text));
    const [, sysVendor, productName, , productVersion, , , boardName] = strings;
    const name = sysVendor === "LENOVO" ? { productVersion } : { productName };
    if (!sysVendor || Object.values(name).some((text) => !text)) continue;
    profiles.push(
      sampleProfile(`made-up/${number}`, {
        match: {
          any: [{ all: { dmi: { sysVendor, ...name } as NonNullable<Conditions["dmi"]> } }],
        },
        ...(!boardName || boardName.length < 4
          ? {}
          : {
              witness: {
                any: [{ all: { dmi: { boardName: { prefix: boardName.slice(0, 8) } } } }],
              },
            }),
      }),
    );
  }
  return profiles;
}
