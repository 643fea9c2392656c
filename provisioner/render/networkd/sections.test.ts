import { existsSync, readFileSync } from "node:fs";
import t from "tap";
import { networkdSections, type UnitKind } from "./sections.ts";

const networkd = "/lib/systemd/systemd-networkd";
const skip = existsSync(networkd) ? false : "systemd-networkd is not on this machine";

/** Newer than the systemd that tests run beside: since version 255. */
const newer = ["DHCPv6.SendHostname", "DHCPv6.Hostname"];

/** Every key that we write into a kind of file, as systemd's own tables have it: `Network.DHCP`. */
function keysOf(kind: UnitKind): readonly string[] {
  return Object.entries(networkdSections[kind]).flatMap(([section, { keys }]) =>
    keys.map((key: string) => `${section}.${key}`),
  );
}

t.test("systemd-networkd knows every key that is written for it", { skip }, async (t) => {
  const program = readFileSync(networkd);
  for (const key of [...keysOf("network"), ...keysOf("netdev")]) {
    if (newer.includes(key)) continue;
    t.ok(program.includes(`\0${key}\0`), key);
  }
  t.notOk(program.includes("\0Network.Adress\0"), "and no other");
});
