import { rmSync } from "node:fs";
import path from "node:path";
import t from "tap";
import {
  addDisk,
  addSeedDirectory,
  setKernelCommandLine,
} from "#agent/datasources/fake-machine.ts";
import { makeFat, needs, writeTree } from "#agent/datasources/images/make-images.ts";
import { fakeIo } from "#core/fake-io.ts";
import type { Io } from "#core/io.ts";
import { createLog, type LogRecord } from "#core/log.ts";
import { madeKinds } from "#provisioner/render/networkd/match.ts";
import type { Invocation } from "./command.ts";
import { command } from "./commands/bootstrap.ts";

const seed = {
  "meta-data": "instance-id: i-1\n",
  "user-data": "#cloud-config\n",
  "network-config": "version: 2\nethernets: { lan: { addresses: [192.0.2.10/24] } }\n",
};

/** How the command is called on a machine, with all that it logs. */
function invocationOn(io: Io): { readonly invocation: Invocation; readonly records: LogRecord[] } {
  const records: LogRecord[] = [];
  const invocation: Invocation = {
    ...{ args: [], flags: {}, json: false, io },
    log: createLog(io.clock, (record) => records.push(record)),
    out: {
      data: () => {},
      talk: () => {},
      findings: () => {},
      live: undefined,
      page: { columns: 80, isUnicode: true },
    },
    signal: new AbortController().signal,
  };
  return { invocation, records };
}

t.test("a seed on a disk that is late is brought up", needs("mkfs.vfat", "mcopy"), async (t) => {
  const root = path.join(t.testdir(), "root");
  const image = makeFat(path.join(root, "../seed.img"), seed, { label: "CIDATA" });
  writeTree(path.join(root, "run/udev"), { queue: "" });
  const fake = fakeIo(root);
  const { clock } = fake;
  const sleep: typeof clock.sleep = async (ms) => {
    await clock.sleep(ms);
    if (clock.monotonicMs() === 1_900) addDisk(root, "sda", { image });
    if (clock.monotonicMs() === 2_000) rmSync(path.join(root, "run/udev/queue"));
  };
  const io = { ...fake, clock: { ...clock, sleep } };
  const { invocation, records } = invocationOn(io);
  t.equal(await command.run(invocation), 0);
  t.match(
    fake.files.readText("/run/systemd/network/10-lan.network"),
    "Address=192.0.2.10/24",
    JSON.stringify(records),
  );
  t.match(records.at(-1), { event: "bootstrap.finished", fields: { network: 1 } });
});

/** What systemd-networkd is given by the name of the file, after the command has run. */
async function networkOf(root: string): Promise<Readonly<Record<string, string | undefined>>> {
  const { files, ...fake } = fakeIo(root);
  const { invocation } = invocationOn({ files, ...fake });
  await command.run(invocation);
  const directory = "/run/systemd/network";
  return Object.fromEntries(
    files.list(directory).map((name) => [name, files.readText(`${directory}/${name}`)]),
  );
}

const ofDevices = `Kind=!${madeKinds.join(" ")}`;
const ofIpv4 = `[Match]
MACAddress=52:54:00:00:00:01
${ofDevices}

[Network]
DHCP=no
Address=192.0.2.10/24
DNS=192.0.2.53

[Route]
Gateway=192.0.2.1
`;
const ofIpv6 = `[Match]
MACAddress=52:54:00:00:00:02
${ofDevices}

[Network]
DHCP=no
IPv6AcceptRA=no
Address=2001:db8::10/64
DNS=2001:db8::53

[Route]
Gateway=2001:db8::1
`;

t.test("each of several interfaces has its own network, one of them IPv6 alone", async (t) => {
  const root = t.testdir();
  addSeedDirectory(root, {
    ...seed,
    "network-config": `version: 2
ethernets:
  lan:
    match: { macaddress: "52:54:00:00:00:01" }
    addresses: [192.0.2.10/24]
    routes: [{ to: default, via: 192.0.2.1 }]
    nameservers: { addresses: [192.0.2.53] }
  six:
    match: { macaddress: "52:54:00:00:00:02" }
    set-name: six0
    accept-ra: false
    addresses: ["2001:db8::10/64"]
    routes: [{ to: "::/0", via: "2001:db8::1" }]
    nameservers: { addresses: ["2001:db8::53"] }
`,
  });
  t.strictSame(await networkOf(root), {
    "10-lan.network": ofIpv4,
    "10-six.network": ofIpv6,
    "10-six.link": `[Match]\nMACAddress=52:54:00:00:00:02\n${ofDevices}\n\n[Link]\nName=six0\n`,
  });
});

t.test("each link of a config drive has its own network, one of them IPv6 alone", async (t) => {
  const root = t.testdir();
  const link = (id: string, mac: string) => ({
    ...{ id, type: "phy", ethernet_mac_address: mac, mtu: null },
  });
  const network = {
    links: [link("tap-a", "52:54:00:00:00:01"), link("tap-b", "52:54:00:00:00:02")],
    networks: [
      {
        ...{ id: "network0", link: "tap-a", type: "ipv4", ip_address: "192.0.2.10" },
        ...{ netmask: "255.255.255.0", services: [{ type: "dns", address: "192.0.2.53" }] },
        routes: [{ network: "0.0.0.0", netmask: "0.0.0.0", gateway: "192.0.2.1" }],
      },
      {
        ...{ id: "network1", link: "tap-b", type: "ipv6", ip_address: "2001:db8::10" },
        ...{ netmask: "ffff:ffff:ffff:ffff::" },
        services: [{ type: "dns", address: "2001:db8::53" }],
        routes: [{ network: "::", netmask: "::", gateway: "2001:db8::1" }],
      },
    ],
  };
  const tree = {
    "openstack/latest/meta_data.json": JSON.stringify({ uuid: "d", hostname: "edge" }),
    "openstack/latest/network_data.json": JSON.stringify(network),
  };
  addSeedDirectory(root, tree, "config_drive");
  t.strictSame(await networkOf(root), {
    "10-tap-a.network": ofIpv4,
    "10-tap-b.network": ofIpv6,
  });
});

/** A network config for the kernel's command line. */
const ofKernel = `network-config=${Buffer.from(seed["network-config"]).toString("base64")}`;

t.test("a cloud behind a network that the kernel's command line says can be asked", async (t) => {
  const root = t.testdir();
  writeTree(path.join(root, "sys/class/dmi/id"), { product_name: "Google Compute Engine\n" });
  t.same(await networkOf(root), {}, "without it nothing is written");
  setKernelCommandLine(root, `quiet ${ofKernel}`);
  t.match(await networkOf(root), { "10-lan.network": /^Address=192\.0\.2\.10\/24$/m });
  writeTree(path.join(root, "sys/class/dmi/id"), {
    sys_vendor: "DigitalOcean\n",
    product_name: "",
  });
  t.match(Object.keys(await networkOf(root)), [
    "10-lan.network",
    "90-firstlight-link-local.network",
  ]);
});

t.test(
  "where nothing is behind it, or the owner takes none from there, it is not written",
  async (t) => {
    const root = t.testdir();
    setKernelCommandLine(root, ofKernel);
    t.same(await networkOf(root), {}, "no datasource");
    writeTree(path.join(root, "sys/class/dmi/id"), { product_name: "Google Compute Engine\n" });
    writeTree(path.join(root, "etc/firstlight"), {
      "settings.json": JSON.stringify({ networkSources: ["datasource"] }),
    });
    t.same(await networkOf(root), {});
  },
);

t.test("what counts before a seed is brought up in its place", async (t) => {
  const root = t.testdir();
  addSeedDirectory(root, {
    ...seed,
    "network-config": seed["network-config"].replace("lan", "wan"),
  });
  setKernelCommandLine(root, ofKernel);
  t.same(Object.keys(await networkOf(root)), ["10-lan.network"]);
});
