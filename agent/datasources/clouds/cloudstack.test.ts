import path from "node:path";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { cloudDatasource } from "../cloud.ts";
import { writeTree } from "../images/make-images.ts";
import { type FakeAnswer, fakeService } from "../metadata/fake-service.ts";
import type { CrawlJob } from "../metadata/service.ts";
import { cloudStack } from "./cloudstack.ts";
import { openPorts, readFrom, tryCloud } from "./try-cloud.ts";

const meta = "/latest/meta-data/";
const userData = "#cloud-config\nhostname: a\n";
const answers: Readonly<Record<string, FakeAnswer>> = {
  [meta]:
    "service-offering\navailability-zone\nlocal-ipv4\nlocal-hostname\npublic-ipv4\npublic-hostname\ninstance-id\nvm-id\npublic-keys\ncloud-identifier",
  [`${meta}service-offering`]: "Small Instance",
  [`${meta}availability-zone`]: "zone-1",
  [`${meta}local-ipv4`]: "192.0.2.7",
  [`${meta}local-hostname`]: "edge",
  [`${meta}public-ipv4`]: "198.51.100.7",
  [`${meta}public-hostname`]: "198.51.100.7",
  [`${meta}instance-id`]: "i-2-7-VM",
  [`${meta}vm-id`]: "7",
  [`${meta}public-keys`]: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA mine\n",
  [`${meta}cloud-identifier`]: "CloudStack-{1}",
  "/latest/user-data": userData,
};

tryCloud(t, {
  cloud: cloudStack,
  on: [{ productName: "CloudStack KVM Hypervisor" }, { productName: "CloudStack" }],
  off: [{ productName: "Apache CloudStack" }, { sysVendor: "CloudStack" }],
  answers,
  ports: { 8080: { "/": "" } },
  expected: {
    instanceId: "i-2-7-VM",
    hostname: "edge",
    publicKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA mine"],
    metaData: {
      ...{ "availability-zone": "zone-1", "instance-type": "Small Instance", "vm-id": "7" },
      ...{ "public-ipv4": "198.51.100.7", password: undefined },
    },
    networkConfig: null,
  },
  userData,
  malformed: {
    [`${meta}instance-id`]: {
      answer: "1\u0007",
      fault: { code: "datasource/malformed", message: /instance-id: / },
    },
    "/latest/user-data": {
      answer: "x".repeat(1024 * 1024 + 1),
      fault: { code: "datasource/malformed", message: /latest\/user-data: more than/ },
    },
  },
});

t.test("its password is a secret", async (t) => {
  const service = await fakeService(t, answers);
  const open = await openPorts(t, { 8080: { "/": "s3cret" } });
  const { instance } = await readFrom(cloudStack, service, { open });
  t.match(instance, { metaData: { password: { secretRef: "meta-data.password" } } });
});

t.test("whoever gave the lease is asked", async (t) => {
  const root = path.join(t.testdir(), "root");
  writeTree(path.join(root, "sys/class/dmi/id"), { product_name: "CloudStack KVM Hypervisor\n" });
  const io = fakeIo(root);
  const datasource = cloudDatasource(cloudStack);
  const detection = datasource.detect(io);
  if (detection === undefined) throw new Error("it was not detected");
  const jobs: CrawlJob[] = [];
  const crawl = async (job: CrawlJob) => {
    jobs.push(job);
    const bytes = new Map([[`${meta}instance-id`, Buffer.from("i-2-7-VM")]]);
    return { service: { url: job.addresses?.[0] ?? "", from: null }, answers: bytes, attempts: [] };
  };
  const read = () =>
    datasource.read(io, detection, { budgetMs: 1_000, defaultUser: "nixos", crawl });
  await read();
  writeTree(path.join(root, "run/systemd/netif/leases"), { 2: "SERVER_ADDRESS=192.0.2.1\n" });
  const { instance } = await read();
  t.match(instance, { instanceId: "i-2-7-VM", datasource: { place: "http://192.0.2.1" } });
  t.same(
    jobs.map(({ addresses }) => addresses),
    [[], ["http://192.0.2.1"]],
  );
  t.same(jobs[0]?.named, ["http://data-server"]);
});
