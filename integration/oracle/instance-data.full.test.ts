import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { noCloud } from "#agent/datasources/nocloud.ts";
import { writeInstanceData } from "#agent/instance-data.ts";
import { hostIo } from "#core/host-io.ts";
import { cloudInit, type FakeRoot, writeFakeRoot } from "./ds-identify.ts";

t.setTimeout(300_000);
const skip = process.geteuid?.() === 0 ? false : "SKIPPED: apt is used as root only";

type Values = Readonly<Record<string, unknown>>;

/** Where we say otherwise than cloud-init on the same machine, and why. */
const different: Readonly<Record<string, string>> = {
  python_version: "no Python is at work, so that none has a version",
  system_platform: "what stands first is the same; the C library of that Python follows in theirs",
};

/** The same where the seed gives no name. */
const withoutName: Readonly<Record<string, string>> = {
  "local-hostname":
    "what the datasource did not say is null; cloud-init takes the name of the moment",
  local_hostname: "the same",
};

interface Seeded {
  /** Lines of the meta-data in the seed directory; none: no directory. */
  readonly metaData?: string;
  readonly machine?: FakeRoot;
  readonly nameless?: true;
}

/** Seeds as people write them. */
const seeds: Readonly<Record<string, Seeded>> = {
  "a name with a domain, a key": {
    metaData:
      "instance-id: i-1\nlocal-hostname: node.example.org\npublic-keys:\n- ssh-ed25519 AAAA a@b\n",
  },
  "keys under names, as EC2 has them": {
    metaData:
      "instance-id: i-2\nlocal-hostname: node\npublic-keys: {one: ssh-ed25519 AAAA a, two: [ssh-ed25519 BBBB b]}\n",
  },
  "keys as one text": {
    metaData:
      'instance-id: i-3\nlocal-hostname: node\npublic-keys: "ssh-ed25519 AAAA a\\nssh-rsa BBBB b\\n"\n',
  },
  "an address for a name": { metaData: "instance-id: i-4\nlocal-hostname: 192.0.2.7\n" },
  "a number for an id": { metaData: "instance-id: 42\nlocal-hostname: node\n" },
  "region and zone": {
    metaData:
      "instance-id: i-5\nlocal-hostname: node\nregion: eu-west-1\navailability-zone: eu-west-1a\n",
  },
  "a zone with an underscore": {
    metaData: "instance-id: i-6\nlocal-hostname: node\navailability_zone: z1\n",
  },
  "a zone of the placement": {
    metaData: "instance-id: i-7\nlocal-hostname: node\nplacement: {availability-zone: z2}\n",
  },
  "a cloud that names itself": {
    metaData: "instance-id: i-8\nlocal-hostname: node\ncloud-name: MyCloud\n",
  },
  "one that is called as a large one, with a region of its own": {
    metaData: "instance-id: i-9\nlocal-hostname: node\ncloud-name: AWS\nregion: cn-north-1\n",
  },
  "no id": { metaData: "local-hostname: node\n" },
  "no name": { metaData: "instance-id: i-10\n", nameless: true },
  "the kernel command line": {
    machine: { commandLine: "quiet ds=nocloud;h=line.example.org;i=i-11" },
  },
  "the serial number": { machine: { dmi: { product_serial: "ds=nocloud;h=dmi;i=i-12" } } },
  "both, and a directory": {
    metaData: "instance-id: i-13\nlocal-hostname: seed\nregion: r\n",
    machine: {
      commandLine: "ds=nocloud;h=line",
      dmi: { product_serial: "ds=nocloud;i=i-14" },
    },
  },
};

/** A machine with a seed, on the kernel and the distribution of this host. */
function writeSeeded(root: string, { metaData, machine = {} }: Seeded): void {
  const directory = "var/lib/cloud/seed/nocloud";
  const here = ["etc/os-release", "proc/sys/kernel/osrelease"].map((file) => [
    file,
    readFileSync(`/${file}`, "utf8"),
  ]);
  const seed =
    metaData === undefined
      ? {}
      : {
          [`${directory}/meta-data`]: metaData,
          [`${directory}/user-data`]: "#cloud-config\n{}\n",
        };
  mkdirSync(path.join(root, "var/lib/cloud/seed"), { recursive: true });
  writeFakeRoot(root, { ...machine, files: { ...Object.fromEntries(here), ...seed } });
}

async function ours(root: string): Promise<Values> {
  const io = hostIo({ root, env: { PATH: "/usr/bin:/bin" } });
  const detection = noCloud.detect(io);
  if (detection === undefined) throw new Error("no seed is found");
  const tools = { budgetMs: 1_000, defaultUser: "nixos" };
  writeInstanceData(io, (await noCloud.read(io, detection, tools)).instance);
  return v1Of(path.join(root, "run/cloud-init/instance-data.json"));
}

function v1Of(file: string): Values {
  return (JSON.parse(readFileSync(file, "utf8")) as { readonly v1: Values }).v1;
}

/** What cloud-init keeps, on machines that are directories: a module that Python lacks has no part in it. */
const oracle = `
import os, sys, types
try:
    import configobj
except ImportError:
    sys.modules["configobj"] = types.ModuleType("configobj")
    sys.modules["configobj"].ConfigObj = object
from cloudinit import dmi, helpers
from cloudinit.sources.DataSourceNoCloud import DataSourceNoCloud
dmi.is_container = lambda: False
for root in sys.argv[1:]:
    with open(root + "/proc/cmdline") as file:
        os.environ["DEBUG_PROC_CMDLINE"] = file.read().strip()
    dmi.DMI_SYS_PATH = root + "/sys/class/dmi/id"
    paths = helpers.Paths({"cloud_dir": root + "/var/lib/cloud", "run_dir": root + "/theirs"})
    os.makedirs(root + "/theirs")
    source = DataSourceNoCloud({"datasource": {"NoCloud": {"fs_label": None}}}, None, paths)
    if not source._get_data():
        raise SystemExit(root + ": no seed is found")
    if not source.persist_instance_data(write_cache=False):
        raise SystemExit(root + ": nothing is kept")
`;

t.test("cloud-init leaves the same keys of v1 for the same seed", { skip }, async (t) => {
  const names = Object.keys(seeds);
  const home = t.testdir(Object.fromEntries(names.map((_, index) => [`seed${index}`, {}])));
  const roots = names.map((_, index) => path.join(home, `seed${index}`));
  for (const [index, name] of names.entries())
    writeSeeded(roots[index] ?? "", seeds[name] as Seeded);
  const script = path.join(home, "persist.py");
  writeFileSync(script, oracle);
  const env = {
    ...process.env,
    PYTHONPATH: path.join(await cloudInit(), "usr/lib/python3/dist-packages"),
  };
  execFileSync("python3", [script, ...roots], { env, stdio: ["ignore", "ignore", "inherit"] });
  for (const [index, name] of names.entries()) {
    const root = roots[index] ?? "";
    const theirs = v1Of(path.join(root, "theirs/instance-data.json"));
    const mine = await ours(root);
    t.same(Object.keys(mine).sort(), Object.keys(theirs).sort(), `${name}: the same keys`);
    const reasons = seeds[name]?.nameless ? { ...different, ...withoutName } : different;
    for (const [key, value] of Object.entries(theirs)) {
      const same = typeof value === "string" ? value.replaceAll(root, "") : value;
      const reason = reasons[key];
      if (reason === undefined) t.same(mine[key], same, `${name}: ${key}`);
      else t.not(mine[key], same, `${name}: ${key}: ${reason}`);
    }
    const platform = String(mine["system_platform"]);
    t.ok(String(theirs["system_platform"]).startsWith(`${platform}-`), platform);
  }
});
