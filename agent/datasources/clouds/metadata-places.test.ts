import t from "tap";
import type { Cloud } from "../cloud.ts";
import { readCloud } from "../cloud-content.ts";
import type { CrawlReport } from "../metadata/service.ts";
import { ec2Answers, ec2Meta } from "./fake-ec2.ts";
import { clouds } from "./table.ts";
import { machineOf } from "./try-cloud.ts";

/** Addresses and ports that are closed to others, by the name of the cloud. */
const expected: Readonly<Record<string, readonly [addresses: readonly string[], ports: number[]]>> =
  {
    Akamai: [["169.254.169.254", "fd00:a9fe:a9fe::1"], [80]],
    AliYun: [["100.100.100.200"], [80]],
    Azure: [["169.254.169.254"], [80]],
    CloudCIX: [["169.254.169.254"], [80]],
    CloudSigma: [[], []],
    CloudStack: [[], []],
    DigitalOcean: [["169.254.169.254"], [80]],
    Ec2: [["169.254.169.254", "fd00:ec2::254"], [80]],
    Exoscale: [["169.254.169.254"], [80, 8080]],
    GCE: [["169.254.169.254", "fd20:ce::254"], [80]],
    Hetzner: [["fe80::a9fe:a9fe", "169.254.169.254"], [80]],
    LXD: [[], []],
    MAAS: [[], []],
    NWCS: [["169.254.169.254"], [80]],
    OpenStack: [["fe80::a9fe:a9fe", "169.254.169.254"], [80]],
    Oracle: [["169.254.169.254", "fd00:c1::a9fe:a9fe"], [80]],
    Scaleway: [["169.254.42.42", "fd00:42::42"], [80]],
    SmartOS: [[], []],
    UpCloud: [["169.254.169.254"], [80]],
    Vultr: [["169.254.169.254"], [80]],
  };

/** Where a cloud answered, by these answers alone. */
async function placeOf(
  cloud: Cloud,
  said: Readonly<Record<string, string>> = {},
  url?: string,
  lacks: CrawlReport["lacks"] = [],
) {
  const { metadataService } = await readCloud(
    { ...cloud, read: () => ({ metaData: {} }) },
    { place: "", identity: cloud.name, removable: false, evidence: [] },
    {
      answers: new Map(Object.entries(said).map(([path, text]) => [path, Buffer.from(text)])),
      service: { url: url ?? cloud.service.addresses[0] ?? "http://192.0.2.1", from: null },
      attempts: [],
      lacks,
    },
    machineOf(),
  );
  return metadataService;
}

const named = (name: string): Cloud => {
  const cloud = clouds.find((each) => each.name === name);
  if (cloud === undefined) throw new Error(`there is no cloud ${name}`);
  return cloud;
};

t.test("of each cloud the addresses are known that are its own", async (t) => {
  t.same(clouds.map(({ name }) => name).sort(), Object.keys(expected).sort());
  for (const cloud of clouds) {
    const place = await placeOf(cloud);
    t.same([place?.addresses, place?.ports], expected[cloud.name], cloud.name);
    const other = await placeOf(cloud, {}, "http://192.0.2.7:8000");
    t.same(other?.addresses, [], `${cloud.name}: one that settings name is anybody's`);
  }
});

t.test("an instance that has an identity of its own is told", async (t) => {
  const accounts = "/computeMetadata/v1/instance/service-accounts/";
  const azure = "/metadata/identity/info?api-version=2018-02-01";
  const roles = "/2016-01-01/meta-data/ram/security-credentials/";
  const cases: readonly (readonly [string, Readonly<Record<string, string>>, string | null])[] = [
    ["Ec2", { [ec2Meta]: String(ec2Answers[ec2Meta]) }, "a role of IAM"],
    ["Ec2", { [ec2Meta]: "ami-id\nidentity-credentials/\n" }, null],
    [
      "GCE",
      { [accounts]: "default/\n1-compute@developer.gserviceaccount.com/\n" },
      "a service account",
    ],
    ["GCE", { [accounts]: "" }, null],
    ["GCE", {}, null],
    ["Azure", { [azure]: '{"tenantId":"t-1"}' }, "a managed identity"],
    ["Azure", {}, null],
    ["AliYun", { [roles]: "edge" }, "a role of RAM"],
    ["AliYun", {}, null],
    ["Oracle", {}, "an instance principal"],
    ["Hetzner", {}, null],
  ];
  for (const [name, said, identity] of cases)
    t.equal((await placeOf(named(name), said))?.identity, identity, `${name} ${identity}`);
  for (const [name, path] of [
    ["GCE", accounts],
    ["AliYun", roles],
    ["Azure", azure],
  ] as const) {
    const lacks = [{ level: "note", path, problem: "answered with 503" }] as const;
    const place = await placeOf(named(name), {}, undefined, lacks);
    t.match(place?.identity, /could not be asked for/, `${name}: nobody is kept from what may be`);
  }
  const another = [{ level: "note", path: `${ec2Meta}placement/x`, problem: "y" }] as const;
  t.equal((await placeOf(named("Ec2"), {}, undefined, another))?.identity, null);
});
