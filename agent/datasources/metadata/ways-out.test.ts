import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import type { Interfaces } from "./candidates.ts";
import { readJob } from "./crawl-words.ts";
import type { CrawlJob, CrawlReport } from "./service.ts";
import { linesFor, overEachInterface, waysOut } from "./ways-out.ts";

const ipv4 = "http://169.254.169.254";
const ipv6 = "http://[fd00:ec2::254]";
const one = (n: number): Interfaces => ({
  [`eth${n}`]: [
    { address: `192.0.2.${n}`, family: "IPv4", internal: false },
    { address: `2001:db8::${n}`, family: "IPv6", internal: false },
  ] as never,
});
const three: Interfaces = { ...one(1), ...one(2), ...one(3) };
const default4 = (n: number, metric: number) =>
  `eth${n}\t00000000\t0${n}6433C6\t0003\t0\t0\t${metric}\t00000000\t0\t0\t0\n`;
const default6 = (n: number) =>
  `${"0".repeat(32)} 00 ${"0".repeat(32)} 00 fe8${"0".repeat(28)}${n} 0000040${n} 0 0 00000003 eth${n}\n`;
const routes = (table: "route" | "ipv6_route") =>
  table === "route" ? default4(2, 100) + default4(1, 200) : default6(1) + default6(2);

t.test("each interface that the kernel would not take gets its own way", async (t) => {
  t.same(waysOut([ipv4, ipv6], three, routes), [
    {
      ...{ source: "192.0.2.1", destination: "169.254.169.254", interface: "eth1" },
      gateway: "198.51.100.1",
    },
    {
      ...{ source: "192.0.2.3", destination: "169.254.169.254", interface: "eth3" },
      gateway: undefined,
    },
    {
      ...{ source: "2001:db8::2", destination: "fd00:ec2::254", interface: "eth2" },
      gateway: "fe80:0000:0000:0000:0000:0000:0000:0002",
    },
    {
      ...{ source: "2001:db8::3", destination: "fd00:ec2::254", interface: "eth3" },
      gateway: undefined,
    },
  ]);
  t.same(waysOut([ipv4, ipv6], one(2), routes), [], "one interface: the kernel's own");
  t.same(
    waysOut([ipv4], three, () => ""),
    [],
    "no routes: nothing is known to compete",
  );
  const local = ["http://[fe80::a9fe:a9fe]", "http://127.0.0.1:80", "unix:/dev/lxd/sock"];
  t.same(waysOut(local, three, routes), []);
});

t.test("in the words of ip, beginning with the end of what was there", async (t) => {
  t.equal(
    linesFor(waysOut([ipv4], three, routes)),
    `rule flush protocol 241
route flush table all proto 241
route replace 169.254.169.254 via 198.51.100.1 onlink dev eth1 proto 241 table 24100
rule add priority 24100 protocol 241 from 192.0.2.1 to 169.254.169.254 lookup 24100
route replace 169.254.169.254 dev eth3 scope link proto 241 table 24101
rule add priority 24100 protocol 241 from 192.0.2.3 to 169.254.169.254 lookup 24101
`,
  );
});

const report: CrawlReport = { service: null, answers: new Map(), attempts: [] };
const job = { datasource: "Ec2", budgetMs: 1_000 };

t.test("rules are there for the time of a crawl, and are told to who asks", async (t) => {
  const io = fakeIo(t.testdir(), { ip: () => ({}) });
  const crawl = async (asked: CrawlJob) => {
    t.same(asked, { ...job, routed: [ipv4] });
    t.same(readJob(JSON.stringify(asked)), asked, "as its line says it");
    t.equal(io.executed.length, 1);
    return report;
  };
  const within = overEachInterface(crawl, {
    ...{ exec: io.exec, addresses: [ipv4], interfaces: () => three, routes },
  });
  t.same(await within(job), report);
  t.match(
    io.executed.map(({ file, args, stdin }) => [file, ...args, stdin]),
    [
      ["ip", "-4", "-force", "-batch", "-", linesFor(waysOut([ipv4], three, routes))],
      ["ip", "-4", "-force", "-batch", "-", linesFor([])],
    ],
  );
});

t.test("a crawl that fails leaves none behind", async (t) => {
  const io = fakeIo(t.testdir(), { ip: () => ({}) });
  const within = overEachInterface(async () => Promise.reject(new Error("no")), {
    ...{ exec: io.exec, addresses: [ipv6], interfaces: () => three, routes },
  });
  await t.rejects(within(job), { message: "no" });
  t.match(io.executed.at(-1), { args: ["-6", "-force", "-batch", "-"], stdin: linesFor([]) });
});

t.test("an interface that comes up meanwhile gets its own", async (t) => {
  const io = fakeIo(t.testdir(), { ip: () => ({}) });
  let present = one(2);
  const { promise, resolve } = Promise.withResolvers<void>();
  const within = overEachInterface(
    async () => {
      t.same(io.executed, [], "one alone needs none");
      present = { ...present, ...one(1) };
      await promise;
      return report;
    },
    {
      addresses: [ipv4],
      interfaces: () => present,
      routes,
      lookAgainMs: 5,
      exec: (request) => {
        resolve();
        return io.exec(request);
      },
    },
  );
  await within(job);
  t.match(io.executed[0]?.stdin, / from 192\.0\.2\.1 to /);
  t.match(io.executed.at(-1)?.stdin, linesFor([]));
});

t.test("where no rule can be made it is asked without, and that is told", async (t) => {
  const failing = () => ({ code: 1, stderr: "RTNETLINK answers: Operation not permitted\nmore\n" });
  for (const [programs, problem] of [
    [{}, /no rules of routing: ip: no such program/],
    [{ ip: failing }, /no rules of routing: RTNETLINK answers: Operation not permitted$/],
  ] as const) {
    const { exec } = fakeIo(t.testdir(), programs);
    const crawl = async (asked: CrawlJob) => {
      t.same(asked, job, "nothing is said of rules");
      return report;
    };
    const within = overEachInterface(crawl, {
      ...{ exec, addresses: [ipv4], interfaces: () => three, routes },
    });
    t.match((await within(job)).lacks, [{ level: "note", path: "169.254.169.254", problem }]);
  }
});

t.test("what is on the machine itself needs no way out", async (t) => {
  const io = fakeIo(t.testdir());
  const within = overEachInterface(
    async (asked) => {
      t.same(asked, job);
      return report;
    },
    { exec: io.exec, addresses: ["unix:/dev/lxd/sock"], interfaces: () => three, routes },
  );
  await within(job);
  t.same(io.executed, []);
});
