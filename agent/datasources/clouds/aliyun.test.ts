import type { IncomingMessage } from "node:http";
import t from "tap";
import { type FakeAnswer, fakeService } from "../metadata/fake-service.ts";
import { aliYun } from "./aliyun.ts";
import { readFrom, tryCloud } from "./try-cloud.ts";

const root = "/2016-01-01/meta-data/";
const token = "/latest/api/token";
const userData = "#!/bin/sh\necho hello\n";
const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA mine";
const [one, two] = ["00:16:3e:30:3e:ca", "00:16:3e:00:00:01"];

const said = {
  "dns-conf": { nameservers: "100.100.2.136\r\n100.100.2.138" },
  "zone-id": "cn-hangzhou-i",
  instance: { "instance-name": "edge", "instance-type": "ecs.g7.xlarge" },
  "instance-id": "i-bp123",
  eipv4: "",
  "private-ipv4": "192.0.2.9",
  mac: one,
  "vpc-id": "vpc-bp1",
  "image-id": "aliyun_3.vhd",
  network: { interfaces: { macs: { [one]: { netmask: "255.255.255.0" } } } },
  hostname: "edge-1",
  "region-id": "cn-hangzhou",
  "public-keys": { mine: { "openssh-key": `${key}\n` } },
  ram: { "security-credentials": { role: { AccessKeySecret: "not ours" } } },
};
const answers: Readonly<Record<string, FakeAnswer>> = {
  [token]: "t0ken",
  [`${root}instance-id`]: "i-bp123",
  [`${root}all`]: JSON.stringify(said),
  "/2016-01-01/user-data": userData,
  "/2016-01-01/vendor-data": "#cloud-config\n",
};

/** Answers who has a token. */
function guard({ method, url, headers }: IncomingMessage): FakeAnswer | undefined {
  if (url === token) {
    const isRight = method === "PUT" && headers["x-aliyun-ecs-metadata-token-ttl-seconds"];
    return isRight ? undefined : { status: 400 };
  }
  return headers["x-aliyun-ecs-metadata-token"] === "t0ken" ? undefined : { status: 401 };
}

const expected = {
  instanceId: "i-bp123",
  hostname: "edge-1",
  publicKeys: [key],
  metaData: {
    ...{ region: "cn-hangzhou", "availability-zone": "cn-hangzhou-i" },
    ...{ "instance-type": "ecs.g7.xlarge", "local-ipv4": "192.0.2.9", "public-ipv4": undefined },
  },
  networkConfig: null,
};

tryCloud(t, {
  cloud: aliYun,
  on: [{ productName: "Alibaba Cloud ECS" }],
  off: [{ productName: "Alibaba Cloud ECS 2" }, { sysVendor: "Alibaba Cloud" }],
  answers,
  options: { guard },
  expected: { ...expected, vendorData: { secretRef: "vendor-data" } },
  userData,
  malformed: {
    [`${root}all`]: {
      answer: "[]",
      fault: { code: "datasource/malformed", message: /meta-data\/all: a JSON object/ },
    },
    [token]: {
      answer: "two words",
      fault: { code: "datasource/unreachable", message: /api\/token: a token was expected/ },
    },
  },
});

t.test("nothing of the role's credentials is kept", async (t) => {
  const service = await fakeService(t, answers, { guard });
  const { instance, secrets } = await readFrom(aliYun, service);
  const kept = [...secrets.values()].map((secret) => Buffer.from(secret.reveal()).toString());
  t.notMatch(JSON.stringify(instance) + kept.join(), "not ours");
});

t.test("a service that does not say everything at once is asked path by path", async (t) => {
  const service = await fakeService(
    t,
    {
      [token]: "t0ken",
      [root]:
        "hostname\ninstance-id\ninstance/\nprivate-ipv4\npublic-keys/\nram/\nregion-id\nzone-id",
      [`${root}hostname`]: "edge-1",
      [`${root}instance-id`]: "i-bp123",
      [`${root}instance/`]: "instance-type",
      [`${root}instance/instance-type`]: "ecs.g7.xlarge",
      [`${root}private-ipv4`]: "192.0.2.9",
      [`${root}public-keys/`]: "mine/",
      [`${root}public-keys/mine/`]: "openssh-key",
      [`${root}public-keys/mine/openssh-key`]: key,
      [`${root}region-id`]: "cn-hangzhou",
      [`${root}zone-id`]: "cn-hangzhou-i",
    },
    { guard },
  );
  t.match((await readFrom(aliYun, service)).instance, { ...expected, userData: null });
  t.notOk(service.requests.some((request) => /\/ram\/security-credentials\/./.test(request)));
});

t.test("several interfaces: the machine's own first, each with DHCP", async (t) => {
  const macs = {
    [two]: {
      ...{ "private-ipv4s": '["192.0.2.8","192.0.2.9"]', "primary-ip-address": "192.0.2.9" },
      "vswitch-cidr-block": "192.0.2.0/28",
    },
    [one]: { ipv6s: '["2001:db8::7"]' },
  };
  const service = await fakeService(t, {
    ...answers,
    [`${root}all`]: JSON.stringify({ ...said, network: { interfaces: { macs } } }),
  });
  const metric = (value: number) => ({ "route-metric": value });
  const { secrets, findings } = await readFrom(aliYun, service);
  t.same(JSON.parse(Buffer.from(secrets.get("network-config")?.reveal() ?? []).toString()), {
    version: 2,
    ethernets: {
      eni0: {
        ...{ match: { macaddress: one }, dhcp4: true, dhcp6: true, optional: false },
        ...{ "dhcp4-overrides": metric(100), "dhcp6-overrides": metric(100) },
      },
      eni1: {
        ...{ match: { macaddress: two }, dhcp4: true, dhcp6: false, optional: true },
        ...{ "dhcp4-overrides": metric(200), addresses: ["192.0.2.8/28"] },
      },
    },
  });
  t.match(findings, [{ level: "note", code: "datasource/not-read" }]);
});
