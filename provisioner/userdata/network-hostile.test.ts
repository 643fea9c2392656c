import t from "tap";
import type { Json } from "#core/canonical-json.ts";
import { fc } from "#core/fast-check.ts";
import { validate } from "#generated/provisioner/spec/v1.validate.js";
import { networkdFiles } from "#provisioner/render/network.ts";
import { tryRender } from "#provisioner/render/try-render.ts";
import { bondParameterReaders, bondReaders, bridgeReaders } from "./network/bond-keys.ts";
import { deviceReaders } from "./network/device-keys.ts";
import { linkReaders } from "./network/link-keys.ts";
import { translateText } from "./sample-translation.ts";

const canary = "CaNaRy-7f3a";

const scalar = fc.oneof(
  fc.constantFrom<Json>(
    ...[
      null,
      true,
      false,
      0,
      7,
      -1,
      1.5,
      1e20,
      "",
      "a",
      "on",
      "lan",
      "br0",
      canary,
      "10s",
      "\n[Match]",
    ],
    ...["192.0.2.1", "::1", "192.0.2.0/24", "192.0.2.1/99", "default", "52:54:00:12:34:56"],
    ...["wireguard", "vxlan", "gre", "active-backup", "eth0 50", "layer3+4", "$(x)", "''$"],
    ...["static", "dhcp", "dhcp6", "static6", "manual", "physical", "bond", "bridge", "vlan"],
  ),
  fc.string({ unit: "grapheme" }),
);

/** A value of any shape, with keys of its own and those of objects in JavaScript. */
const value = fc.oneof(
  scalar,
  fc.array(scalar, { maxLength: 3 }),
  fc.dictionary(
    fc.constantFrom(
      ...["to", "via", "name", "macaddress", "addresses", "public", "private", "type", "address"],
      ...["__proto__", "toString", "constructor", "secretRef", "_type"],
    ),
    fc.oneof(scalar, fc.array(scalar, { maxLength: 2 })),
    { maxKeys: 4 },
  ),
);

function keyed(keys: readonly string[], inner: fc.Arbitrary<Json> = value): fc.Arbitrary<Json> {
  return fc.dictionary(fc.constantFrom(...keys), inner, { maxKeys: 6 }) as fc.Arbitrary<Json>;
}

const names = fc.constantFrom("lan", "br0", "b", "__proto__", "../x", "constructor", "a b");
const links = (inner: fc.Arbitrary<Json>) =>
  fc.dictionary(names, fc.oneof(inner, value), { maxKeys: 3 }) as fc.Arbitrary<Json>;
const own = [...Object.keys(linkReaders), ...Object.keys(deviceReaders)];
const parameters = keyed(Object.keys(bondParameterReaders));
const tunnel = keyed(["mode", "key", "keys", "peers", "id", "link", "local", "port", "addresses"]);
const point = keyed(["password", "auth", "mode", "hidden", "bssid"]);

const version2 = fc.record(
  {
    version: fc.constant(2),
    ethernets: links(keyed(own)),
    bonds: links(fc.oneof(keyed([...Object.keys(bondReaders), ...own]), fc.record({ parameters }))),
    bridges: links(keyed([...Object.keys(bridgeReaders), ...own])),
    vlans: links(keyed(["id", "link", "dhcp4", "addresses"])),
    vrfs: links(keyed(["table", "interfaces", "routes"])),
    tunnels: links(tunnel),
    wifis: links(fc.record({ "access-points": links(point) })),
    more: value,
  },
  { requiredKeys: ["version"] },
);

const subnet = keyed([
  ...["type", "address", "netmask", "gateway", "routes", "metric", "mtu", "control"],
  ...["dns_nameservers", "broadcast"],
]);
const entry = fc.oneof(
  keyed([
    ...["type", "name", "mac_address", "mtu", "subnets", "params", "bond_interfaces", "address"],
    ...["bridge_interfaces", "vlan_id", "vlan_link", "interface", "destination", "gateway"],
  ]),
  fc.record({ type: scalar, name: names, subnets: fc.array(subnet, { maxLength: 3 }) }),
  value,
);
const version1 = fc.record({ version: fc.constant(1), config: fc.array(entry, { maxLength: 4 }) });

t.test(
  "whatever a network config holds, it is read or named, and what is read renders",
  async (t) => {
    let read = 0;
    fc.assert(
      fc.property(fc.oneof(version1, version2), (document) => {
        const text = JSON.stringify(document);
        if (!text.isWellFormed()) return;
        const networkConfig = { document: "network-config", bytes: Buffer.from(text) };
        const { spec, findings, coverage } = translateText("#firstlight\n", {}, { networkConfig });
        if (!validate(spec)) throw new Error("no spec");
        const said = JSON.stringify(findings.map(({ message, hint }) => [message, hint]));
        if (said.includes(canary)) throw new Error("a finding repeats a value");
        if (coverage.unsupported > 0 && findings.length === 0) throw new Error("silent");
        networkdFiles(spec);
        tryRender(spec);
        if (spec.network !== undefined) read += 1;
      }),
      { numRuns: 300 },
    );
    t.ok(read > 30, `${read} with a network`);
  },
);
