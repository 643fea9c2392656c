import t from "tap";
import { fakeService } from "../metadata/fake-service.ts";
import { cloudCix } from "./cloudcix.ts";
import { readFrom, tryCloud } from "./try-cloud.ts";

const userData = "#cloud-config\nhostname: a\n";
const network = {
  version: 2,
  ethernets: {
    eth0: {
      "set-name": "eth0",
      match: { macaddress: "ab:cd:ef:00:01:02" },
      addresses: ["192.0.2.2/24"],
      routes: [{ to: "default", via: "192.0.2.1" }],
    },
  },
};
const answers = {
  "/v1/metadata": JSON.stringify({ instance_id: "12_34", network }),
  "/v1/userdata": Buffer.from(userData).toString("base64"),
};

tryCloud(t, {
  cloud: cloudCix,
  on: [{ productName: "CloudCIX" }],
  off: [{ productName: "CloudCIX 2" }, { sysVendor: "CloudCIX" }],
  answers,
  expected: {
    instanceId: "12_34",
    hostname: null,
    publicKeys: [],
    networkConfig: { secretRef: "network-config" },
  },
  userData,
  malformed: {
    "/v1/metadata": {
      answer: "<html></html>",
      fault: { code: "datasource/unreachable", message: /v1\/metadata: a page of HTML/ },
    },
  },
});

t.test("user-data is taken as it is where it is no base64", async (t) => {
  const service = await fakeService(t, { ...answers, "/v1/userdata": userData });
  const { secrets } = await readFrom(cloudCix, service);
  t.equal(Buffer.from(secrets.get("user-data")?.reveal() ?? []).toString(), userData);
  const given = JSON.parse(Buffer.from(secrets.get("network-config")?.reveal() ?? []).toString());
  t.strictSame(given, network);
  const { "/v1/metadata": metadata } = answers;
  const without = await fakeService(t, { "/v1/metadata": metadata });
  t.match((await readFrom(cloudCix, without)).instance, { userData: null });
});
