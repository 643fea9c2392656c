import type { IncomingMessage } from "node:http";
import path from "node:path";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { writeTree } from "../images/make-images.ts";
import { maas } from "../maas.ts";
import { crawlCloud } from "../metadata/crawl.ts";
import { readJob } from "../metadata/crawl-words.ts";
import { type FakeAnswer, fakeService } from "../metadata/fake-service.ts";
import { maas as cloud } from "./maas.ts";
import { tryCloud } from "./try-cloud.ts";

const userData = "#cloud-config\ntimezone: UTC\n";
const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJlbmNo alice";
const root = "/2012-03-01/";
const answers = {
  [`${root}meta-data/instance-id`]: "4y3h7n",
  [`${root}meta-data/local-hostname`]: "edge-7",
  [`${root}meta-data/public-keys`]: `${key}\n`,
  [`${root}meta-data/vendor-data`]: 'cloud-init: "#cloud-config\\nntp: {}\\n"\n',
  [`${root}user-data`]: userData,
};

tryCloud(t, {
  cloud,
  on: [],
  off: [{ productName: "MAAS" }],
  answers,
  expected: {
    ...{ instanceId: "4y3h7n", hostname: "edge-7", publicKeys: [key] },
    vendorData: { secretRef: "vendor-data" },
  },
  userData,
  malformed: {
    [`${root}meta-data/local-hostname`]: {
      answer: { status: 404 },
      fault: { code: "datasource/malformed", message: /local-hostname: a text was expected/ },
    },
    [`${root}meta-data/vendor-data`]: {
      answer: "a: [",
      fault: { code: "datasource/malformed", message: /vendor-data: no YAML/ },
    },
  },
});

const keys = { consumer_key: "ck", token_key: "tk", token_secret: "canary&=" };

function machine(t: { testdir(): string }, files: Readonly<Record<string, string>>) {
  return fakeIo(writeTree(path.join(t.testdir(), "root"), files));
}

function settings(url: string, more: object = keys): string {
  return JSON.stringify({ datasource: { MAAS: { metadata_url: url, ...more } } });
}

t.test("MAAS: told by cloud-init's settings, and by nothing else", async (t) => {
  const file = "etc/cloud/cloud.cfg.d/90_maas.cfg";
  const written = settings("http://192.0.2.1/MAAS/metadata/");
  const line = "quiet cc:datasource: {MAAS: {metadata_url: http://192.0.2.1/}} end_cc ro\n";
  const on: Readonly<Record<string, Record<string, string>>> = {
    "/etc/cloud/cloud.cfg.d/90_maas.cfg: datasource MAAS": { [file]: written },
    "/etc/cloud/cloud.cfg: datasource MAAS": { "etc/cloud/cloud.cfg": written },
    "kernel command line: cc: datasource MAAS": { "proc/cmdline": line },
  };
  const detect = (files: Readonly<Record<string, string>>) => maas.detect(machine(t, files));
  for (const [evidence, files] of Object.entries(on)) t.same(detect(files)?.evidence, [evidence]);
  for (const text of ["datasource_list: [MAAS]\n", settings(""), "# MAAS metadata_url\n", ""])
    t.equal(detect({ [file]: text }), undefined, text);
  t.equal(detect({ [file]: written, "run/systemd/container": "lxc\n" }), undefined);
  t.equal(detect({ [`${file}.disabled`]: written }), undefined);
  for (const text of ["MAAS: [metadata_url", settings("ftp://192.0.2.1/")])
    t.throws(() => detect({ [file]: text }), { code: "datasource/malformed" });
});

t.test("MAAS: each request is signed anew, below the path of the address", async (t) => {
  const signed: string[] = [];
  const guard = ({ url, headers }: IncomingMessage) => {
    signed.push(`${url} ${headers.authorization}`);
    return /oauth_signature="%26canary%2526%253D"/.test(headers.authorization ?? "")
      ? undefined
      : { status: 401 };
  };
  const below = Object.entries(answers).map(([name, answer]) => [`/MAAS/metadata${name}`, answer]);
  const { url } = await fakeService(t, Object.fromEntries(below), { guard });
  const read = (more: object) => {
    const file = settings(`${url}/MAAS/metadata/`, more);
    const io = machine(t, { "etc/cloud/cloud.cfg": file });
    const detection = maas.detect(io);
    if (detection === undefined) throw new Error("not detected");
    return maas.read(io, detection, {
      ...{ budgetMs: 5_000, defaultUser: "nixos" },
      crawl(job) {
        const told = readJob(JSON.stringify(job));
        if (told === undefined) throw new Error("no job");
        return crawlCloud(cloud, told, undefined, { patienceMs: 0 });
      },
    });
  };
  const { instance, attempts } = await read(keys);
  t.equal(instance.instanceId, "4y3h7n");
  t.equal(instance.datasource.place, `${url}/MAAS/metadata`);
  t.match(signed[0], /oauth_consumer_key="ck", oauth_token="tk", .*PLAINTEXT/);
  const numbers = signed.map((each) => /oauth_nonce="(\w+)"/.exec(each)?.[1]);
  t.equal(new Set(numbers).size, signed.length);
  t.notMatch(JSON.stringify([instance, attempts]), /canary/);
  await t.rejects(read({ ...keys, token_secret: "other" }), { code: "datasource/refused" });
  await t.rejects(read({}), { code: "datasource/refused" });
});

t.test("MAAS: a machine with a wrong clock signs by that of the service", async (t) => {
  const aheadMs = 400 * 24 * 3_600_000;
  const guard = ({ headers }: IncomingMessage): FakeAnswer | undefined => {
    const at = Number(/oauth_timestamp="(\d+)"/.exec(headers.authorization ?? "")?.[1]) * 1_000;
    const now = Date.now() + aheadMs;
    if (Math.abs(at - now) < 300_000) return undefined;
    return { status: 401, headers: { date: new Date(now).toUTCString() } };
  };
  const service = await fakeService(t, answers, { guard });
  const oAuth = { consumerKey: "ck", consumerSecret: "", tokenKey: "tk", tokenSecret: "ts" };
  const job = { addresses: [service.url], budgetMs: 5_000, oAuth };
  const report = await crawlCloud(cloud, job);
  t.equal(report.answers.size, 5);
  t.equal(report.attempts.filter(({ status }) => status === 401).length, 1, "once");
  const other = await fakeService(t, answers, { guard: () => ({ status: 401 }) });
  const refused = crawlCloud(cloud, { ...job, addresses: [other.url] }, undefined, {
    patienceMs: 0,
  });
  await t.rejects(refused, { code: "datasource/refused" });
  t.equal(other.requests.length, 1, "the clock was right");
});
