import path from "node:path";
import { gzipSync } from "node:zlib";
import t, { type Test } from "tap";
import { fakeIo } from "#core/fake-io.ts";
import type { Finding } from "#core/finding.ts";
import { resolveSpec } from "../../resolve-spec.ts";
import { makeContent } from "../content.ts";
import type { DatasourceContent } from "../datasource.ts";
import { setKernelCommandLine } from "../fake-machine.ts";
import { writeTree } from "../images/make-images.ts";
import { chooseNetwork, localNetwork, type NetworkPlace } from "./choose-network.ts";

/** What a machine says beside its datasource. */
interface Said {
  readonly kernel?: string;
  readonly initrd?: Readonly<Record<string, string>>;
  readonly settings?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
}

/** A network config that is known again by its one interface. */
const named = (name: string) => `version: 2\nethernets: { ${name}: { dhcp4: true } }\n`;
const base64 = (text: string | Uint8Array) => Buffer.from(text).toString("base64");
const word = (text: string | Uint8Array) => `network-config=${base64(text)}`;
const broughtUp = { "net-initrd0.conf": "DEVICE='initrd0'\nPROTO='dhcp'\nIPV4ADDR='192.0.2.7'\n" };
const disabled = "network: { config: disabled }\n";

function rootOf(t: Test, { kernel = "quiet", initrd = {}, settings = {}, files = {} }: Said) {
  const root = path.join(t.testdir(), "root");
  setKernelCommandLine(root, kernel);
  writeTree(path.join(root, "run"), initrd);
  writeTree(path.join(root, "etc/cloud"), settings);
  writeTree(root, files);
  return root;
}

/** What a datasource says, of which only its name and its network matter. */
function contentOf(datasource: string, network: string | undefined): DatasourceContent {
  return makeContent({
    datasource: { name: datasource, place: "", identity: "", removable: false, evidence: [] },
    metaData: { value: { "instance-id": "i-1" }, findings: [], locate: () => undefined },
    documents: { networkConfig: network === undefined ? undefined : Buffer.from(network) },
    defaultInstanceId: "",
    findings: [],
  });
}

interface Machine extends Said {
  readonly datasource?: string;
  /** The network of the datasource. */
  readonly network?: string | undefined;
  readonly places?: readonly NetworkPlace[];
}

/** The network that counts, and what is said of it. */
async function choose(t: Test, { datasource = "NoCloud", network, places, ...said }: Machine) {
  const { files } = fakeIo(rootOf(t, said));
  const content = chooseNetwork(files, contentOf(datasource, network), places);
  const bytes = content.secrets.get("network-config")?.reveal();
  t.equal(content.instance.networkConfig === null, bytes === undefined, "said where it is");
  const text = bytes === undefined ? undefined : Buffer.from(bytes).toString();
  const tools = {
    fetchSources: async () => new Map(),
    openEnvelope: async () => Promise.reject(new Error("nothing is sealed")),
  };
  const { spec, findings } = await resolveSpec(content, {}, tools);
  const ofPlaces = findings.filter(({ code }) => code.startsWith("network/"));
  const interfaces = Object.keys(spec.network?.ethernets ?? {}).join(" ");
  const errors = findings.filter(({ level }) => level === "error");
  const document = content.network?.document;
  return { text, interfaces, spec, findings: ofPlaces, errors, document };
}

const short = (findings: readonly Finding[]) =>
  findings.map(({ level, code, document, line }) => `${level} ${code} ${document} ${line}`);

t.test("the first place that says the network counts, in cloud-init's order", async (t) => {
  const kernel = `ip=dhcp ${word(named("kernel0"))}`;
  const settings = {
    "cloud.cfg.d/50-net.cfg": `network:\n  ${named("image0").replace("\n", "\n  ")}`,
  };
  const network = named("source0");
  const initrd = broughtUp;
  const cases: readonly (readonly [Machine, string])[] = [
    [{ kernel, initrd, settings, network }, "kernel0"],
    [{ kernel: "ip=dhcp", initrd, settings, network }, "initrd0"],
    [{ initrd, settings, network }, "image0"],
    [{ settings, network }, "image0"],
    [{ network }, "source0"],
    [{ kernel: "ip6=dhcp", initrd, network }, "initrd0"],
    [{ kernel: "ip=dhcp", network }, "source0"],
    [{ initrd, network, files: { "run/initramfs/open-iscsi.interface": "eth0" } }, "initrd0"],
    [{ kernel: `${word("")} ${kernel}`, network }, "kernel0"],
    [{ kernel: `${kernel} network-config=`, settings, network }, "image0"],
    [{ kernel: `${word(named("other0"))} ${kernel}`, network }, "kernel0"],
    [{ settings: { "cloud.cfg": "network:\n" }, network }, "source0"],
    [{ settings: { "cloud.cfg": "network: {}\nusers: []\n" }, network }, "source0"],
    [
      { settings: { "cloud.cfg": "system_info: { network: { renderers: [a] } }\n" }, network },
      "source0",
    ],
    [{ kernel: word("# nothing\n"), network }, "source0"],
    [{ settings }, "image0"],
    [{}, ""],
  ];
  for (const [machine, expected] of cases) {
    const { interfaces, findings } = await choose(t, machine);
    t.equal(interfaces, expected, JSON.stringify(machine));
    t.notOk(
      findings.some(({ level }) => level !== "note"),
      JSON.stringify(findings),
    );
  }
  for (const datasource of ["Oracle", "MAAS"]) {
    const all = { datasource, kernel: "ip=dhcp", initrd };
    t.equal((await choose(t, { ...all, settings, network })).interfaces, "image0", datasource);
    t.equal((await choose(t, { ...all, network })).interfaces, "source0", datasource);
    t.equal((await choose(t, all)).interfaces, "initrd0", datasource);
  }
});

t.test("the owner of the image may name who says it, and in which order", async (t) => {
  const all = { kernel: word(named("kernel0")), network: named("source0") };
  const cases: readonly (readonly [readonly NetworkPlace[], string])[] = [
    [["datasource"], "source0"],
    [["datasource", "kernel"], "source0"],
    [["settings", "kernel", "datasource"], "kernel0"],
    [["settings", "initrd"], ""],
    [[], ""],
  ];
  for (const [places, expected] of cases)
    t.equal((await choose(t, { ...all, places })).interfaces, expected, places.join(" "));
  const { findings } = await choose(t, { network: named("source0"), places: ["kernel"] });
  t.same(short(findings), ["note network/other-place NoCloud null"]);
});

t.test("where a place says that there is none, nobody after it says one", async (t) => {
  const network = named("source0");
  const cases: readonly (readonly [Machine, string])[] = [
    [{ kernel: "network-config=disabled", network }, "kernel command line: network-config"],
    [{ kernel: word(disabled), network }, "kernel command line: network-config"],
    [{ kernel: word("config: disabled\n"), network }, "kernel command line: network-config"],
    [{ settings: { "cloud.cfg": disabled }, network }, "/etc/cloud/cloud.cfg"],
    [
      {
        settings: { "cloud.cfg.d/99.cfg": disabled, "cloud.cfg": `network: {version: 1}\n` },
        network,
      },
      "/etc/cloud/cloud.cfg.d/99.cfg, /etc/cloud/cloud.cfg",
    ],
  ];
  for (const [machine, document] of cases) {
    const { text, interfaces, findings } = await choose(t, machine);
    t.same([text, interfaces], [undefined, ""], JSON.stringify(machine));
    t.match(findings, [
      { level: "note", code: "network/other-place", document, message: /NoCloud/ },
    ]);
  }
  const own = await choose(t, { network: disabled });
  t.same([own.interfaces, own.findings], ["", []], "a datasource may say it too");
});

t.test("cloud-init's settings are put together, and their lines are known", async (t) => {
  const [low, high] = [{ version: 2, ethernets: { a: { dhcp4: true, mtu: 1400 } } }, {}];
  const settings = {
    "cloud.cfg": JSON.stringify({ network: low }),
    "cloud.cfg.d/10.cfg": JSON.stringify({ network: high, users: [] }),
    "cloud.cfg.d/90.cfg": "network: { ethernets: { a: { dhcp4: false }, b: { dhcp6: true } } }\n",
    "cloud.cfg.d/95.txt": "network: { ethernets: { c: {} } }\n",
  };
  const { text, document } = await choose(t, { settings, network: named("source0") });
  t.same(JSON.parse(text ?? ""), {
    network: {
      ethernets: { a: { dhcp4: false, mtu: 1400 }, b: { dhcp6: true } },
      version: 2,
    },
  });
  t.equal(
    document,
    "/etc/cloud/cloud.cfg.d/90.cfg, /etc/cloud/cloud.cfg.d/10.cfg, /etc/cloud/cloud.cfg",
  );
  const cc = `cc: network: {version: 2, ethernets: {k: {dhcp4: true}}} end_cc`;
  t.equal((await choose(t, { settings, kernel: cc })).interfaces, "k a b");

  const file =
    "users: []\n\nnetwork:\n  version: 2\n  # the way out\n  ethernets:\n    a: { dhcp5: true }\n\n# end\npackages: [git]\n";
  const { findings } = await choose(t, { settings: { "cloud.cfg.d/9.cfg": file } });
  t.match(findings, [
    { level: "note", code: "network/other-place" },
    { code: "network/unknown-key", document: "/etc/cloud/cloud.cfg.d/9.cfg", line: 7, column: 10 },
  ]);
  t.equal(findings.length, 2, "and nothing is said of the rest of the file");
  const aliased = "x: &x { dhcp4: true }\nnetwork:\n  version: 2\n  ethernets: { a: *x }\n";
  t.equal((await choose(t, { settings: { "cloud.cfg": aliased } })).interfaces, "a");
});

t.test("a network of the kernel's command line may be packed", async (t) => {
  const packed = gzipSync(named("kernel0"));
  t.equal((await choose(t, { kernel: `"${word(packed)}" quiet` })).interfaces, "kernel0");
  const inContainer = {
    "run/systemd/container": "",
    "proc/1/cmdline": `/init\0${word(named("init0"))}\0`,
  };
  const machine = { kernel: word(named("kernel0")), files: inContainer };
  t.equal((await choose(t, machine)).interfaces, "init0", "in a container the kernel is another's");
});

t.test("what cannot be read is an error with its place, and the next place counts", async (t) => {
  const bomb = word(gzipSync(Buffer.alloc(32 * 1024 * 1024)));
  t.ok(bomb.length < 64 * 1024, "it fits in a command line");
  const line = "kernel command line: network-config";
  const initrd = (text: string) => ({ kernel: "ip=dhcp", initrd: { "net-e.conf": text } });
  const settings = (text: string) => ({ settings: { "cloud.cfg.d/1.cfg": text } });
  const cases: readonly (readonly [Machine, string, RegExp])[] = [
    [{ kernel: "network-config=eth0:dhcp" }, `${line} null`, /base64/],
    [{ kernel: bomb }, `${line} null`, /larger than 256 KiB/],
    [{ kernel: word(gzipSync("version: 2").subarray(0, 20)) }, `${line} null`, /gzip, and broken/],
    [{ kernel: word(Buffer.from([0xff, 0x31])) }, `${line} null`, /UTF-8/],
    [initrd("PROTO=dhcp\n"), "/run/net-e.conf null", /DEVICE/],
    [initrd("DEVICE=../../x\n"), "/run/net-e.conf null", /name of an interface/],
    [initrd("DEVICE=e\nIPV4ADDR=$(reboot)\n"), "/run/net-e.conf 2", /IPV4ADDR/],
    [initrd("DEVICE=e\nPROTO=bootp\nIPV4ADDR=192.0.2.7\n"), "/run/net-e.conf null", /PROTO/],
    [initrd("DEVICE=e\nIPV4ADDR=2001:db8::7\n"), "/run/net-e.conf null", /IPv4 was expected/],
    [
      initrd("DEVICE=e\nIPV4ADDR=192.0.2.7\nIPV4NETMASK=255.0.255.0\n"),
      "/run/net-e.conf null",
      /netmask/,
    ],
    [settings("users: []\nnetwork: [\n"), "/etc/cloud/cloud.cfg.d/1.cfg 3", /no YAML/],
  ];
  for (const [machine, place, message] of cases) {
    const { interfaces, findings } = await choose(t, { ...machine, network: named("source0") });
    t.same(short(findings), [`error network/unreadable ${place}`], JSON.stringify(machine));
    t.match(findings[0]?.message, message);
    t.ok(findings[0]?.hint);
    t.equal(interfaces, "source0", "the machine can be reached");
  }
  for (const text of ["version: 9\n", "ethernets: [\n", "- a\n", "word\n"]) {
    const { interfaces, errors } = await choose(t, {
      ...{ kernel: word(text), network: named("source0") },
    });
    t.match(errors, [{ document: line, line: Number }], text);
    t.equal(interfaces, "", "nothing takes its place");
  }
});

t.test("a secret of the network leaves the document, whoever says it", async (t) => {
  const key = "YAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
  const settings = {
    "cloud.cfg": `network:\n  version: 2\n  tunnels: { wg0: { mode: wireguard, key: "${key}" } }\n`,
  };
  const { spec } = await choose(t, { settings });
  t.notMatch(JSON.stringify(spec), key);
});

t.test("before the datasource is known the machine's own places are asked", (t) => {
  const { files } = fakeIo(rootOf(t, { kernel: "ip=dhcp", initrd: broughtUp }));
  t.match(localNetwork(files), { document: "initrd: /run/net-initrd0.conf" });
  t.equal(localNetwork(files, ["kernel", "datasource"]), undefined);
  const off = fakeIo(rootOf(t, { kernel: "ip=dhcp network-config=disabled", initrd: broughtUp }));
  t.match(localNetwork(off.files), { bytes: undefined });
  t.end();
});
