import type { IncomingMessage } from "node:http";
import path from "node:path";
import { gzipSync } from "node:zlib";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { writeTree } from "../images/make-images.ts";
import { type FakeAnswer, fakeService } from "../metadata/fake-service.ts";
import { akamai } from "./akamai.ts";
import { readFrom, tryCloud } from "./try-cloud.ts";

const userData = "#cloud-config\nhostname: a\n";
const said = {
  id: 12345678,
  label: "edge",
  region: "us-ord",
  type: "g6-nanode-1",
  specs: { vcpus: 1 },
  backups: { enabled: false, status: null },
  host_uuid: "a631b16d14534d84e2830da16d1b28e1d08d24df",
  tags: ["web"],
};
const keys = {
  users: {
    root: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA mine"],
    other: ["ssh-rsa AAAAB3NzaC1yc2EB theirs"],
  },
};

const answers: Readonly<Record<string, FakeAnswer>> = {
  "/v1/token": "t0ken",
  "/v1/instance": JSON.stringify(said),
  "/v1/user-data": Buffer.from(userData).toString("base64"),
  "/v1/ssh-keys": JSON.stringify(keys),
};

/** Answers who has a token, and speaks JSON only to who wants it. */
function guard({ method, url, headers }: IncomingMessage): FakeAnswer | undefined {
  if (url === "/v1/token") {
    const isRight =
      method === "PUT" &&
      headers["metadata-token-expiry-seconds"] === "300" &&
      headers.accept !== "application/json";
    return isRight ? undefined : { status: 400 };
  }
  if (headers["metadata-token"] !== "t0ken") return { status: 401 };
  const wantsJson = headers.accept === "application/json";
  if (url === "/v1/user-data") return wantsJson ? { status: 406 } : undefined;
  return wantsJson ? undefined : "id: 12345678";
}

tryCloud(t, {
  cloud: akamai,
  on: [{ sysVendor: "Linode" }, { sysVendor: "Akamai" }],
  off: [{ sysVendor: "Akamai Technologies" }, { productName: "Linode" }],
  answers,
  options: { guard },
  expected: {
    instanceId: "12345678",
    hostname: null,
    publicKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA mine"],
    metaData: {
      ...{ region: "us-ord", "instance-type": "g6-nanode-1", label: "edge", tags: ["web"] },
      ...{ backups: undefined },
    },
    networkConfig: null,
  },
  userData,
  malformed: {
    "/v1/instance": {
      answer: "[]",
      fault: { code: "datasource/malformed", message: /\/v1\/instance: a JSON object/ },
    },
    "/v1/ssh-keys": {
      answer: "{",
      fault: { code: "datasource/malformed", message: /\/v1\/ssh-keys: / },
    },
    "/v1/token": {
      answer: "",
      fault: { code: "datasource/unreachable", message: /\/v1\/token: a token was expected/ },
    },
  },
});

t.test("without user-data and keys there is a machine all the same", async (t) => {
  const { "/v1/token": token = "", "/v1/instance": instance = "" } = answers;
  const service = await fakeService(t, { "/v1/token": token, "/v1/instance": instance }, { guard });
  t.match((await readFrom(akamai, service)).instance, { userData: null, publicKeys: [] });
});

t.test("the firmware says in which family there is metadata, and whether at all", async (t) => {
  const on = (flags: string) => {
    const root = path.join(t.testdir(), "root");
    writeTree(path.join(root, "sys/class/dmi/id"), { board_serial: `${flags}\n` });
    return akamai.addressesOn?.(fakeIo(root).files);
  };
  const [ipv4 = "", ipv6 = ""] = akamai.service.addresses;
  t.same(on(""), [ipv4, ipv6]);
  t.same(on("v4=0;dhcp=0"), [ipv6]);
  t.same(on("v4=1;v6=0"), [ipv4]);
  t.same(on("als=0"), [ipv4, ipv6], "one stage of two is enough");
  for (const flags of ["als=0;ais=0", "v4=0;v6=0"])
    t.throws(() => on(flags), { code: "datasource/none", message: /no metadata here/ }, flags);
});

t.test("user-data that is not in base64 is what it is", async (t) => {
  const gzip = gzipSync(userData);
  for (const said of [userData, gzip]) {
    const service = await fakeService(t, { ...answers, "/v1/user-data": said }, { guard });
    const { secrets } = await readFrom(akamai, service);
    t.same(Buffer.from(secrets.get("user-data")?.reveal() ?? []), Buffer.from(said));
  }
});

t.test("without the keys of the account there is a machine, and that is told", async (t) => {
  const service = await fakeService(t, { ...answers, "/v1/ssh-keys": { status: 403 } }, { guard });
  const { instance, findings } = await readFrom(akamai, service);
  t.match(instance, { instanceId: "12345678", publicKeys: [] });
  t.match(findings, [{ document: "/v1/ssh-keys", level: "warning" }]);
});
