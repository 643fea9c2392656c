import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import t from "tap";
import { makeContent } from "#agent/datasources/content.ts";
import { writeTree } from "#agent/datasources/images/make-images.ts";
import { chooseNetwork } from "#agent/datasources/network/choose-network.ts";
import type { Json } from "#core/canonical-json.ts";
import { hostIo } from "#core/host-io.ts";
import { readYaml } from "#provisioner/userdata/yaml.ts";
import { cloudInit } from "./ds-identify.ts";

t.setTimeout(300_000);
const skip = process.geteuid?.() === 0 ? false : "SKIPPED: apt is used as root only";

/** What a machine says of its network, and the datasource with what that says. */
interface Machine {
  readonly datasource: string;
  readonly line: string;
  readonly tree: Readonly<Record<string, string>>;
  readonly network: Json;
}

const config = (name: string): Json => ({ version: 2, ethernets: { [name]: { dhcp4: true } } });
const disabled: Json = { config: "disabled" };
const word = (value: Json, pack: (text: string) => Uint8Array = Buffer.from) =>
  `network-config=${Buffer.from(pack(JSON.stringify(value))).toString("base64")}`;

const lines: readonly string[] = [
  "quiet",
  word(config("kernel0")),
  `ip=dhcp ${word({ network: config("kernel0") }, gzipSync)}`,
  "ip=dhcp",
  "network-config=disabled ip=dhcp",
  `${word(config("other0"))} network-config= ip6=dhcp`,
  `${word({})} ip=dhcp`,
  `${word(disabled)} quiet`,
];
const initrds: readonly Readonly<Record<string, string>>[] = [
  {},
  { "run/net-initrd0.conf": "DEVICE='initrd0'\nPROTO='dhcp'\nIPV4ADDR='192.0.2.7'\n" },
];
const settings: readonly Readonly<Record<string, string>>[] = [
  {},
  { "etc/cloud/cloud.cfg": JSON.stringify({ network: config("image0"), users: [] }) },
  { "etc/cloud/cloud.cfg.d/50.cfg": JSON.stringify({ network: disabled }) },
  {
    "etc/cloud/cloud.cfg": JSON.stringify({ network: config("low0") }),
    "etc/cloud/cloud.cfg.d/10.cfg": "network: {version: 1, ethernets: {low0: {mtu: 1400}}}\n",
    "etc/cloud/cloud.cfg.d/90.cfg": "network:\n  version: 2\n  ethernets: {high0: {dhcp6: true}}\n",
  },
  { "etc/cloud/cloud.cfg": "network: {}\n", "etc/cloud/cloud.cfg.d/1.cfg": "network:\n" },
];
const networks: readonly Json[] = [null, config("source0"), disabled];

const machines: readonly Machine[] = ["NoCloud", "Oracle"].flatMap((datasource) =>
  lines.flatMap((line) =>
    initrds.flatMap((initrd) =>
      settings.flatMap((setting) =>
        networks.map((network) => ({
          ...{ datasource, line, network },
          tree: { ...initrd, ...setting },
        })),
      ),
    ),
  ),
);

/** The network that cloud-init finds on each machine: a JSON list of networks, or null for none. */
const oracle = `
import json, os, sys, types
try:
    import configobj
except ModuleNotFoundError:  # only templates of other distributions use it
    sys.modules["configobj"] = types.ModuleType("configobj")
    sys.modules["configobj"].ConfigObj = object
from cloudinit import sources, stages, util
from cloudinit.net import cmdline
from cloudinit.sources import NetworkConfigSource as Source
util.is_container = lambda: False
orders = {
    "NoCloud": sources.DataSource.network_config_sources,
    # as later versions have it; this one has the settings at the end
    "Oracle": (Source.CMD_LINE, Source.SYSTEM_CFG, Source.DS, Source.INITRAMFS),
}
class Finder(stages.Init):
    cfg = distro = paths = datasource = None
    def __init__(self, cfg, source):
        self.cfg, self.ds, self.datasource = cfg, source, source
        self.distro = types.SimpleNamespace(generate_fallback_config=lambda: None)
        self.paths = types.SimpleNamespace(get_cpath=lambda name: "/nonexistent")
found = []
for root, machine in json.load(sys.stdin):
    os.environ["DEBUG_PROC_CMDLINE"] = machine["line"]
    names = sorted(os.listdir(root + "/run"))
    cmdline._get_klibc_net_cfg_files = lambda: [root + "/run/" + name for name in names]
    cfg = util.mergemanydict([
        util.read_conf_with_confd(root + "/etc/cloud/cloud.cfg"),
        util.read_conf_from_cmdline(machine["line"]) or {},
    ], reverse=True)
    source = types.SimpleNamespace(
        network_config=machine["network"],
        network_config_sources=orders[machine["datasource"]],
    )
    finder = Finder(cfg, source)
    found.append(finder._find_networking_config()[0])
json.dump(found, sys.stdout)
`;

/** The network that counts, without its `network` key; `null` where there is none. */
function ours(root: string, { datasource, network }: Machine): Json {
  const text = network === null ? undefined : Buffer.from(JSON.stringify(network));
  const said = makeContent({
    datasource: { name: datasource, place: "", identity: "", removable: false, evidence: [] },
    metaData: { value: { "instance-id": "i" }, findings: [], locate: () => undefined },
    documents: { networkConfig: text },
    defaultInstanceId: "",
    findings: [],
  });
  const { secrets } = chooseNetwork(hostIo({ root }).files, said);
  const bytes = secrets.get("network-config")?.reveal();
  if (bytes === undefined) return null;
  const { value = null } = readYaml(Buffer.from(bytes).toString(), { document: "" });
  const inner = (value as { readonly network?: Json } | null)?.network ?? value;
  // What a datasource says is taken as it is; that it says none is found where it is translated.
  return JSON.stringify(inner) === JSON.stringify(disabled) ? null : inner;
}

/** Of what an initrd brought up, only which interfaces: how they are written differs. */
function shown(network: Json): Json {
  const { version, config = [] } = (network ?? {}) as {
    readonly version?: number;
    readonly config?: readonly { readonly name: string }[];
  };
  if (version === 1 && Array.isArray(config) && config.length > 0)
    return { initrd: config.map(({ name }) => name) };
  const { ethernets = {} } = (network ?? {}) as {
    readonly ethernets?: Readonly<Record<string, Json>>;
  };
  return Object.hasOwn(ethernets, "initrd0") ? { initrd: Object.keys(ethernets) } : network;
}

t.test("cloud-init finds the same network on the same machine", { skip }, async (t) => {
  const home = t.testdir({});
  const roots = machines.map(({ line, tree }, index) => {
    const root = path.join(home, String(index));
    for (const directory of ["run", "etc/cloud"])
      mkdirSync(path.join(root, directory), { recursive: true });
    writeTree(root, { ...tree, "proc/cmdline": `${line}\n` });
    return root;
  });
  const script = path.join(home, "find.py");
  writeFileSync(script, oracle);
  const input = JSON.stringify(machines.map((machine, index) => [roots[index], machine]));
  const said = execFileSync("python3", [script], {
    ...{ input, encoding: "utf8", stdio: ["pipe", "pipe", "inherit"] },
    env: {
      ...process.env,
      PYTHONPATH: path.join(await cloudInit(), "usr/lib/python3/dist-packages"),
    },
  });
  const theirs = JSON.parse(said) as readonly Json[];
  t.equal(theirs.length, machines.length);
  const kinds = new Set(theirs.map((network) => JSON.stringify(shown(network))));
  t.equal(kinds.size, 6, "each place counts on some of them, and none on others");
  for (const [index, machine] of machines.entries()) {
    const mine = ours(roots[index] ?? "", machine);
    t.same(shown(mine), shown(theirs[index] ?? null), JSON.stringify(machine));
  }
});
