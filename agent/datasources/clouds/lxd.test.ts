import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { cloudDatasource } from "../cloud.ts";
import { crawlCloud } from "../metadata/crawl.ts";
import { fakeService } from "../metadata/fake-service.ts";
import { lxd } from "./lxd.ts";
import { readFrom, tryCloud } from "./try-cloud.ts";

const userData = "#cloud-config\ntimezone: UTC\n";
const network = "version: 2\nethernets:\n  eth0:\n    dhcp4: true\n";
const config = (name: string) => `/1.0/config/${name}`;
const values = {
  [config("cloud-init.user-data")]: userData,
  [config("user.user-data")]: "#cloud-config\ntimezone: Europe/Rome\n",
  [config("user.network-config")]: network,
  [config("user.meta-data")]: "public-keys: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA a\n",
  [config("user.other")]: "canary",
};
const answers = {
  "/1.0/meta-data": "#cloud-config\ninstance-id: 5ac9a4e5\nlocal-hostname: edge-7\n",
  "/1.0/config": JSON.stringify(Object.keys(values)),
  ...values,
};

tryCloud(t, {
  cloud: lxd,
  on: [
    { markSockets: ["/dev/lxd/sock"] },
    { markSockets: ["/dev/incus/sock"] },
    { virtioPorts: ["org.qemu.guest_agent.0", "com.canonical.lxd"] },
    { virtioPorts: ["org.linuxcontainers.lxd"] },
    { virtioPorts: ["org.linuxcontainers.incus"] },
  ],
  off: [
    { markSockets: ["/native/.zonecontrol/metadata.sock"] },
    { virtioPorts: ["org.qemu.guest_agent.0", "com.canonical.lxd2"] },
    { productName: "LXD" },
  ],
  answers,
  expected: {
    ...{
      instanceId: "5ac9a4e5",
      hostname: "edge-7",
      publicKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA a"],
    },
    networkConfig: { secretRef: "network-config" },
  },
  userData,
  malformed: {
    "/1.0/meta-data": {
      answer: "- a list\n",
      fault: { code: "datasource/malformed", message: /1\.0\/meta-data: a mapping was expected/ },
    },
    "/1.0/config": {
      answer: "[",
      fault: { code: "datasource/malformed", message: /1\.0\/config: no JSON/ },
    },
  },
});

/** Paths of sockets are short. */
function shortDirectory(t: { teardown(end: () => void): void }): string {
  const directory = mkdtempSync(path.join(tmpdir(), "lxd-"));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A machine whose socket answers. */
async function instanceOf(t: { teardown(end: () => void): void }) {
  const root = shortDirectory(t);
  mkdirSync(path.join(root, "dev/lxd"), { recursive: true });
  const socket = path.join(root, "dev/lxd/sock");
  return { io: fakeIo(root), ...(await fakeService(t, answers, { socket })), socket };
}

t.test("LXD: the socket is found and asked, without a network", async (t) => {
  const { io, requests, socket } = await instanceOf(t);
  const datasource = cloudDatasource(lxd);
  t.equal(datasource.needs, "nothing");
  const detection = datasource.detect(io);
  t.same(detection?.evidence, ["socket: /dev/lxd/sock"]);
  if (detection === undefined) return;
  const { instance, attempts = [] } = await datasource.read(io, detection, {
    ...{ budgetMs: 5_000, defaultUser: "nixos" },
    crawl: (job) => crawlCloud(lxd, job, undefined, { interfaces: () => ({}) }),
  });
  t.match(instance, { instanceId: "5ac9a4e5", datasource: { place: `unix:${socket}` } });
  t.match(attempts, [{ from: socket, status: 200 }]);
  t.notOk(
    requests.some((request) => request.includes("other")),
    "what nobody reads is not asked",
  );
  t.notMatch(JSON.stringify(instance), /canary/);
  await t.rejects(datasource.read(io, detection), { code: "datasource/none" });
});

t.test("LXD: an agent that comes late is waited for", async (t) => {
  const socket = path.join(shortDirectory(t), "sock");
  const timer = setTimeout(() => void fakeService(t, answers, { socket }), 300);
  t.teardown(() => clearTimeout(timer));
  const { instance } = await readFrom(lxd, { url: `unix:${socket}` }, { budgetMs: 5_000 });
  t.equal(instance.instanceId, "5ac9a4e5");
});
