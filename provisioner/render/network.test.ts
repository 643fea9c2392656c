import { matchesGlob } from "node:path";
import t from "tap";
import type { Ethernet } from "#generated/provisioner/spec/v1.ts";
import { networkdFiles } from "./network.ts";
import { fileOf, tryRender } from "./try-render.ts";

/** A network device as udev and systemd-networkd see it. */
interface Device {
  readonly kernelName: string;
  readonly name: string;
  readonly mac: string;
  readonly driver: string;
}

const device: Device = {
  kernelName: "eth0",
  name: "eth0",
  mac: "52:54:00:12:34:56",
  driver: "virtio_net",
};
const other: Device = {
  kernelName: "em9",
  name: "em9",
  mac: "52:54:00:00:00:01",
  driver: "e1000e",
};

/** How systemd.network(5) and systemd.link(5) say each key of [Match] is compared. */
const compared: Readonly<Record<string, (device: Device) => string>> = {
  MACAddress: ({ mac }) => mac,
  Driver: ({ driver }) => driver,
  Name: ({ name }) => name,
  OriginalName: ({ kernelName }) => kernelName,
};

/** Whether a file applies to a device: every key fits, each by one of its patterns. */
function applies(text: string, to: Device): boolean {
  const [, match = ""] = /\[Match\]\n([^[]*)/.exec(text) ?? [];
  const keys = match.trim().split("\n");
  return keys.every((line) => {
    const [key = "", patterns = ""] = line.split("=");
    const value = compared[key]?.(to);
    if (value === undefined) throw new Error(`unknown key ${key}`);
    return patterns.split(" ").some((pattern) => matchesGlob(value, pattern));
  });
}

function files(ethernet: Ethernet, name = "eth0") {
  const made = networkdFiles({ version: 1, network: { ethernets: { [name]: ethernet } } });
  const text = (kind: string) => made.find((file) => file.name === `10-${name}.${kind}`)?.content;
  return { network: text("network") ?? "", link: text("link") ?? "" };
}

const renamed: readonly (readonly [string, Ethernet])[] = [
  ["a hardware address", { match: { mac: device.mac }, setName: "lan0" }],
  [
    "a hardware address, its name and its driver",
    { match: { mac: device.mac, name: "eth*", driver: "virtio_*" }, setName: "lan0" },
  ],
  ["a name", { match: { name: "eth*" }, setName: "lan0" }],
  ["a driver", { match: { driver: "virtio_net" }, setName: "lan0" }],
  ["the name of the entry", { setName: "lan0" }],
];

t.test("a device that gets another name keeps its network until it has it, and after", (t) => {
  for (const [by, ethernet] of renamed) {
    const { network, link } = files({ dhcp4: true, ...ethernet });
    t.ok(applies(link, device), `${by}: the device is renamed`);
    t.match(link, /\[Link\]\nName=lan0\n/);
    t.ok(applies(network, device), `${by}: before`);
    t.ok(applies(network, { ...device, name: "lan0" }), `${by}: after`);
    t.notOk(applies(network, other), `${by}: another device`);
    t.notOk(applies(link, other), `${by}: another device`);
  }
  t.end();
});

t.test("a device that keeps its name is found by everything that is said of it", (t) => {
  const { network, link } = files({ match: { mac: device.mac, name: "eth*" } });
  t.equal(link, "");
  t.ok(applies(network, device));
  t.notOk(applies(network, { ...device, name: "wan0" }));
  t.ok(applies(files({ dhcp4: true }).network, device), "by the name of the entry");
  t.end();
});

t.test("what is rendered finds its device by the same words as the bootstrap layer", (t) => {
  for (const [by, ethernet] of renamed) {
    const rendered = fileOf(
      tryRender({ network: { ethernets: { eth0: ethernet } } }),
      "firstlight/network.nix",
    );
    const [, match = ""] = /\[Match\]\n([^[]*)/.exec(files(ethernet).network) ?? [];
    const [, options = ""] =
      /networks\."10-eth0" = \{\n\s*matchConfig = \{([^}]*)\}/.exec(rendered) ?? [];
    const lines = options
      .trim()
      .split("\n")
      .map((line) => line.trim().replace(/^(\w+) = "(.*)";$/, "$1=$2"));
    t.same(lines, match.trim().split("\n"), by);
  }
  t.end();
});
