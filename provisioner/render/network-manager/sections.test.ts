import { existsSync, readFileSync } from "node:fs";
import t from "tap";
import type { Network } from "#generated/provisioner/spec/v1.ts";
import { everyManagedNetwork } from "../every-managed-network.ts";
import { managerProfiles } from "./profiles.ts";
import { keyfileSections } from "./sections.ts";

const library = ["x86_64", "aarch64"]
  .map((machine) => `/usr/lib/${machine}-linux-gnu/libnm.so.0`)
  .find((file) => existsSync(file));
const skip = library === undefined ? "libnm is not on this machine" : false;

/** Every section with each of its keys: `ipv4.method`. */
const keys = Object.entries(keyfileSections).flatMap(([section, each]) =>
  each.map((key: string) => `${section}.${key}`),
);

/** Of these there are several, each with its number. */
function withoutNumber(key: string): string {
  return key.replace(/^(address|route|routing-rule)[0-9]+(_options)?$/, "$1");
}

t.test("NetworkManager's library knows every key that is written for it", { skip }, async (t) => {
  const program = readFileSync(library ?? "");
  const words = new Set(keys.flatMap((key) => key.split(".")));
  for (const word of words) {
    const isBegun = ["address", "route", "routing-rule", "wireguard-peer"].includes(word);
    t.ok(program.includes(isBegun ? word : `${word}\0`), word);
  }
  t.notOk(program.includes("ignore-auto-names\0"), "and no other");
});

t.test("every key of the table is written, and no other", async (t) => {
  const network = structuredClone(everyManagedNetwork) as unknown as Network;
  const written = managerProfiles(network, ({ path }) => t.fail(path.join("."))).flatMap(
    ({ sections }) =>
      sections.flatMap(({ name, settings }) =>
        settings.map(
          ([key]) => `${name.replace(/^(wireguard-peer)\..*/, "$1")}.${withoutNumber(key)}`,
        ),
      ),
  );
  t.same([...new Set(written)].sort(), [...keys].sort());
});
