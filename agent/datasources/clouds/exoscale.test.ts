import t from "tap";
import { type FakeAnswer, fakeService } from "../metadata/fake-service.ts";
import { exoscale } from "./exoscale.ts";
import { openPorts, readFrom, tryCloud } from "./try-cloud.ts";

const meta = "/1.0/meta-data/";
const userData = "#cloud-config\nhostname: a\n";
const answers: Readonly<Record<string, FakeAnswer>> = {
  [meta]:
    "availability-zone\ncloud-identifier\ninstance-id\nlocal-hostname\nlocal-ipv4\npublic-keys\nservice-offering",
  [`${meta}availability-zone`]: "ch-gva-2",
  [`${meta}cloud-identifier`]: "CloudStack-1",
  [`${meta}instance-id`]: "11111111-1111-1111-1111-111111111111",
  [`${meta}local-hostname`]: "edge",
  [`${meta}local-ipv4`]: "192.0.2.7",
  [`${meta}public-keys`]: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA mine\n",
  [`${meta}service-offering`]: "Medium",
  "/1.0/user-data": userData,
};

tryCloud(t, {
  cloud: exoscale,
  on: [{ productName: "Exoscale" }, { productName: "Exoscale Compute Platform" }],
  off: [{ productName: "exoscale" }, { sysVendor: "Exoscale" }],
  answers,
  ports: { 8080: { "/1.0/": "saved_password" } },
  expected: {
    instanceId: "11111111-1111-1111-1111-111111111111",
    hostname: "edge",
    publicKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA mine"],
    metaData: {
      ...{ "availability-zone": "ch-gva-2", "instance-type": "Medium", "local-ipv4": "192.0.2.7" },
      ...{ "cloud-identifier": "CloudStack-1", password: undefined },
    },
    networkConfig: null,
  },
  userData,
  malformed: {
    [`${meta}instance-id`]: {
      answer: "1\u0007",
      fault: { code: "datasource/malformed", message: /instance-id: / },
    },
    [`${meta}local-hostname`]: {
      answer: Buffer.from([0xff]),
      fault: { code: "datasource/malformed", message: /local-hostname: expected UTF-8/ },
    },
  },
});

/** What is read with a password server that answers so. */
async function readWith(t: Parameters<typeof openPorts>[0], password: FakeAnswer) {
  const service = await fakeService(t, answers);
  const open = await openPorts(t, { 8080: { "/1.0/": password } });
  return readFrom(exoscale, service, { open });
}

t.test("a password is a secret, and stays at its server", async (t) => {
  const asked: unknown[] = [];
  const { instance, secrets, findings } = await readWith(t, (request, response) => {
    asked.push(request.headers["domu_request"]);
    response.end("s3cret\n");
  });
  t.match(instance, { metaData: { password: { secretRef: "meta-data.password" } } });
  t.equal(Buffer.from(secrets.get("meta-data.password")?.reveal() ?? []).toString(), "s3cret");
  t.match(findings, [{ level: "note", code: "datasource/unused-value" }]);
  t.notMatch(JSON.stringify(findings), "s3cret");
  t.same(asked, ["send_my_password"], "nobody says that it was saved");
});

t.test(
  "a password server that says nothing of use is told, and is no reason to fail",
  async (t) => {
    const cases: readonly (readonly [FakeAnswer, RegExp])[] = [
      [{ status: 404 }, /is silent/],
      [{ status: 403 }, /is silent/],
      ["<html>Please log in</html>", /is silent/],
      ["bad_request", /refuses/],
    ];
    for (const [answer, message] of cases) {
      const { instance, findings } = await readWith(t, answer);
      t.match(findings, [{ level: "note", code: "datasource/not-read", message }]);
      t.match(instance, { hostname: "edge", metaData: { password: undefined } });
    }
    t.same((await readWith(t, "")).findings, [], "no password");
  },
);
