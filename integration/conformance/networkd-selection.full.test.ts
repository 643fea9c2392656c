import t from "tap";
import type { Network } from "#generated/provisioner/spec/v1.ts";
import { everyNetwork } from "#provisioner/render/every-network.ts";
import { type NetworkdFile, networkdFiles } from "#provisioner/render/network.ts";
import { selectFile } from "#provisioner/render/networkd/select-file.ts";
import { fileOf, tryRender } from "#provisioner/render/try-render.ts";
import { translate } from "#provisioner/userdata/translate.ts";
import { absent, networkConfigs } from "./cloud-config-set.ts";
import { filesOfOptions } from "./networkd-options.ts";
import { seenInterfaces } from "./seen-interfaces.ts";

const skip = absent("network");
const context = { hostname: "node", publicKeys: [], defaultUser: "nixos", fetched: new Map() };

/** Where a VLAN or a bridge sorts behind the device whose address it has. */
const sortedBehind: readonly (readonly [string, string])[] = [
  [
    "a VLAN of version 2",
    `version: 2
ethernets:
  eno1: { match: { macaddress: "52:54:00:aa:bb:01" }, set-name: eno1, dhcp4: true }
vlans:
  mgmt: { id: 20, link: eno1, addresses: [192.0.2.5/24] }
`,
  ],
  [
    "a VLAN of version 1",
    `version: 1
config:
  - { type: physical, name: eth0, mac_address: "AA:BB:CC:00:11:22", subnets: [{ type: dhcp4 }] }
  - { type: vlan, name: vlan100, vlan_link: eth0, vlan_id: 100 }
`,
  ],
  [
    "a bridge with its port's address",
    `version: 2
ethernets: { eno1: { match: { macaddress: "aa:bb:cc:dd:ee:01" }, set-name: eno1 } }
bridges: { vmbr0: { interfaces: [eno1], macaddress: "aa:bb:cc:dd:ee:01", dhcp4: true } }
`,
  ],
  [
    "a bond and its VLAN, of what a pattern fits",
    `version: 2
ethernets: { all: { match: { name: "e*" } } }
bonds: { ether: { interfaces: [all] } }
vlans: { ether.7: { id: 7, link: ether } }
`,
  ],
];

/** Which interfaces get a file that is not theirs, or none that is. */
function mistaken(network: Network, files: readonly NetworkdFile[]): readonly string[] {
  const names = new Set(files.map(({ name }) => name));
  return seenInterfaces(network).flatMap(({ link, seen }) =>
    seen.flatMap((each, index) => {
      // udev asks once, when a device appears
      const endings = index === 0 ? (["network", "link"] as const) : (["network"] as const);
      const wrong = endings.flatMap((ending) => {
        const own = `10-${link.name}.${ending}`;
        const wanted = names.has(own) ? own : undefined;
        const found = selectFile(files, ending, each);
        return found === wanted ? [] : [`${each.name}: ${found} and not ${wanted}`];
      });
      // Nobody describes these: they belong to whoever made them.
      const foreign = ["vlan", "bridge", "macsec"].flatMap((kind) => {
        const made = { name: `${each.name}-7`, kernelName: `${each.name}-7`, mac: each.mac, kind };
        const found = ["network" as const, "link" as const].map((ending) =>
          selectFile(files, ending, made),
        );
        return found.some((file) => file !== undefined) ? [`${kind}: ${found.join(" ")}`] : [];
      });
      return [...wrong, ...foreign];
    }),
  );
}

t.test("each interface gets its own file, and none a file of another's", { skip }, async (t) => {
  let looked = 0;
  for (const [name, text] of [...networkConfigs(), ...sortedBehind]) {
    const networkConfig = { document: name, bytes: Buffer.from(text) };
    const { spec } = translate({ networkConfig }, context);
    const { network = {} } = spec;
    looked += seenInterfaces(network).length;
    t.strictSame(
      mistaken(network, networkdFiles(spec)),
      [],
      `${name}: before the first generation`,
    );
    const rendered = filesOfOptions(fileOf(tryRender(spec), "firstlight/network.nix"));
    const files = rendered.map((file) => ({ name: file.name, content: file.text }));
    t.strictSame(mistaken(network, files), [], `${name}: as options`);
  }
  t.ok(looked > 60, `${looked} interfaces`);
});

t.test("so does everything that can be said of a network", async (t) => {
  const network = structuredClone(everyNetwork) as unknown as Network;
  t.strictSame(mistaken(network, networkdFiles({ version: 1, network })), []);
});
