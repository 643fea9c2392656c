import t from "tap";
import { fakeService, first } from "../metadata/fake-service.ts";
import { ec2 } from "./ec2.ts";
import {
  ec2Answers as answers,
  ec2Meta as meta,
  onlyWith,
  ec2Token as token,
  ec2UserData as userData,
} from "./fake-ec2.ts";
import { readFrom, tryCloud } from "./try-cloud.ts";

tryCloud(t, {
  cloud: ec2,
  on: [
    { productUuid: "ec2a0e4f-1111-2222-3333-444444444444" },
    { productUuid: "45e12aec-dcd1-b213-94ed-012345abcdef" },
    { hypervisorUuid: "ec2f8a1b-0000-0000-0000-000000000000" },
    { productSerial: "srv-xxxxx.gb1.brightbox.com" },
    { chassisAssetTag: "123456.zstack.io" },
    { sysVendor: "e24cloud" },
    { sysVendor: "Tilaa" },
    { sysVendor: "3DS Outscale", productName: "3DS Outscale VM" },
  ],
  off: [
    { productUuid: "4c4c4544-0042-3510-8053-b7c04f4b4e32" },
    { productUuid: "2aec0000-0042-3510-8053-b7c04f4b4e32", productSerial: "brightbox.com.example" },
    { sysVendor: "3DS Outscale", productName: "another" },
  ],
  answers,
  options: { guard: onlyWith(() => "t0ken") },
  expected: {
    instanceId: "i-0123456789abcdef0",
    hostname: "ip-192-0-2-7.eu-west-1.compute.internal",
    publicKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA mine"],
    metaData: {
      ...{ region: "eu-west-1", "availability-zone": "eu-west-1a", "instance-type": "m6i.large" },
      tags: { Name: "edge" },
    },
    networkConfig: null,
  },
  userData,
  malformed: {
    "/latest/dynamic/instance-identity/document": {
      answer: "{",
      fault: { code: "datasource/malformed", message: /instance-identity\/document: / },
    },
    [`${meta}instance-id`]: {
      answer: "i-1\u0007",
      fault: { code: "datasource/malformed", message: /instance-id: / },
    },
    [token]: {
      answer: "two words",
      fault: { code: "datasource/malformed", message: /api\/token: a token was expected/ },
    },
  },
});

t.test("credentials of the instance's role are not asked for", async (t) => {
  const service = await fakeService(t, answers, { guard: onlyWith(() => "t0ken") });
  await readFrom(ec2, service);
  t.notOk(service.requests.some((request) => request.includes("/iam/")));
  t.equal(service.requests.filter((request) => request.includes(token)).length, 1, "one token");
});

t.test("a token that has run out is got again", async (t) => {
  let current = "t0ken";
  const service = await fakeService(
    t,
    {
      ...answers,
      [token]: first(1, "t0ken", "t1ken"),
      [`${meta}placement/`](_request, response) {
        current = "t1ken";
        response.end("availability-zone\nregion");
      },
    },
    { guard: onlyWith(() => current) },
  );
  const { instance } = await readFrom(ec2, service);
  t.match(instance, { metaData: { "availability-zone": "eu-west-1a" } });
  t.equal(service.requests.filter((request) => request === `PUT ${token}`).length, 2);
});

t.test("without tokens nothing is read", async (t) => {
  const old = { ...answers, [token]: { status: 404 } };
  const service = await fakeService(t, old);
  await t.rejects(readFrom(ec2, service), {
    code: "datasource/malformed",
    message: /api\/token/,
  });
  const refused = await fakeService(t, { ...answers, [token]: { status: 403 } });
  await t.rejects(readFrom(ec2, refused), { code: "datasource/refused" });
});

t.test("several interfaces have a network-config by their addresses", async (t) => {
  const macs = `${meta}network/interfaces/macs/`;
  const [one, two] = ["02:00:00:00:00:01", "02:00:00:00:00:02"];
  const service = await fakeService(t, {
    ...answers,
    [meta]: "instance-id\nnetwork/",
    [`${meta}network/`]: "interfaces/",
    [`${meta}network/interfaces/`]: "macs/",
    [macs]: `${two}/\n${one}/`,
    [`${macs}${one}/`]: "device-number\nipv6s",
    [`${macs}${one}/device-number`]: "0",
    [`${macs}${one}/ipv6s`]: "2001:db8::7",
    [`${macs}${two}/`]: "device-number",
    [`${macs}${two}/device-number`]: "1",
  });
  const { secrets } = await readFrom(ec2, service);
  t.same(JSON.parse(Buffer.from(secrets.get("network-config")?.reveal() ?? []).toString()), {
    version: 2,
    ethernets: {
      eni0: { match: { macaddress: one }, dhcp4: true, dhcp6: true, optional: false },
      eni1: { match: { macaddress: two }, dhcp4: true, dhcp6: false, optional: true },
    },
  });
});
