import { spawn } from "node:child_process";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { mock } from "node:test";
import { gzipSync } from "node:zlib";
import t from "tap";
import { Fault } from "#core/fault.ts";
import type { Cloud } from "../cloud.ts";
import { exchangesOf, unrecordedOf } from "../search.ts";
import { candidatesFor, type Interfaces } from "./candidates.ts";
import { crawlCloud } from "./crawl.ts";
import { readJob, readReport, reportOf } from "./crawl-words.ts";
import { type Exchange, openExchange } from "./exchange.ts";
import { type FakeAnswer, fakeService, first } from "./fake-service.ts";
import { openService } from "./open-service.ts";
import type { MetadataClient } from "./service.ts";

/** A cloud that says one thing. */
const cloud: Pick<Cloud, "name" | "service" | "crawl"> = {
  name: "Fake",
  service: { addresses: ["http://169.254.169.254"], probe: "/id" },
  crawl: async (client) => void (await client.get("/data", { maxBytes: 100_000 })),
};

/** Everything that a service says at `/data`, which is tried with this answer. */
async function crawl(t: { teardown(end: () => void): void }, data: FakeAnswer, budgetMs = 20_000) {
  const { url, requests } = await fakeService(t, { "/id": "i-1", "/data": data });
  const { answers, attempts } = await crawlCloud(cloud, { addresses: [url], budgetMs });
  return { data: Buffer.from(answers.get("/data") ?? []).toString(), requests, attempts };
}

t.test("what may pass is asked again, and told", async (t) => {
  const early: Record<string, FakeAnswer> = {
    "busy (429), with a time": { status: 429, headers: { "retry-after": "0" } },
    "down (503)": { status: 503 },
    "half an answer": (_request, response) => {
      response.writeHead(200, { "content-length": "10" });
      response.write("half", () => response.destroy());
    },
    "no answer": (request) => request.socket.destroy(),
  };
  for (const [what, answer] of Object.entries(early)) {
    const { data, attempts } = await crawl(t, first(2, answer, "right"));
    t.equal(data, "right", what);
    t.equal(attempts.filter(({ url }) => url.endsWith("/data")).length, 3, what);
  }
});

t.test("a date to ask again at counts from the service's own clock", async (t) => {
  const inYears = (years: number) =>
    new Date(Date.now() + years * 365 * 24 * 3_600_000).toUTCString();
  const busy = (until: string, date?: string): FakeAnswer => {
    return (_request, response) => {
      response.sendDate = false;
      response.writeHead(503, { "retry-after": until, ...(date === undefined ? {} : { date }) });
      response.end();
    };
  };
  const clocks: Record<string, readonly [string, string?]> = {
    "ours stands at 1970": [inYears(56), inYears(56)],
    "ours stands at 1970, and it does not say its own": [inYears(56)],
    "ours is far ahead": [inYears(-56), inYears(-56)],
    "ours is far ahead, and it does not say its own": [inYears(-56)],
    "nothing that is a date": ["soon"],
  };
  for (const [what, [until, date]] of Object.entries(clocks))
    t.equal((await crawl(t, first(2, busy(until, date), "right"))).data, "right", what);
  for (const [until, date] of [[inYears(57), inYears(56)] as const, ["86400"] as const])
    await t.rejects(
      crawl(t, busy(until, date)),
      { code: "datasource/unreachable", message: /answered with 503/ },
      "longer than the budget: not waited for",
    );
  for (const [until, date] of [["0"] as const, [inYears(-1), inYears(0)] as const]) {
    const { url, requests } = await fakeService(t, { "/id": "i-1", "/data": busy(until, date) });
    await t.rejects(crawlCloud(cloud, { addresses: [url], budgetMs: 600 }));
    t.ok(requests.length < 20, `at once, each time: ${requests.length} requests`);
  }
});

t.test("what does not pass ends it, and says why", async (t) => {
  const answers: readonly (readonly [string, FakeAnswer, RegExp])[] = [
    [
      "unreachable",
      { status: 302, headers: { location: "http://192.0.2.1/x" } },
      /leads away to http:\/\/192\.0\.2\.1,/,
    ],
    ["unreachable", "<html><body>Log in</body></html>", /a page of HTML/],
    ["malformed", "x".repeat(100_001), /more than 100000 bytes/],
    ["refused", { status: 403 }, /answered with 403/],
    ["refused", { status: 401 }, /answered with 401/],
    ["unreachable", { status: 418 }, /answered with 418/],
    ["unreachable", { status: 304 }, /data: answered with 304, which is no metadata/],
  ];
  for (const [kind, answer, message] of answers)
    await t.rejects(crawl(t, answer), { code: `datasource/${kind}`, message });
});

t.test("an answer without end is not read to its end", async (t) => {
  let sent = 0;
  const endless: FakeAnswer = (_request, response) => {
    response.writeHead(200, { "content-length": String(2 ** 30) });
    const more = () => {
      sent += 65_536;
      if (sent < 2 ** 30 && !response.destroyed) response.write(Buffer.alloc(65_536), more);
    };
    more();
  };
  await t.rejects(crawl(t, endless), { code: "datasource/malformed" });
  t.ok(sent < 64 * 2 ** 20, `${sent} bytes were sent`);
});

t.test("one that drips, or is silent, ends with the budget", async (t) => {
  const drip: FakeAnswer = (_request, response) => {
    const timer = setInterval(() => response.write("x"), 100);
    response.on("close", () => clearInterval(timer));
  };
  for (const answer of [drip, () => {}]) {
    await t.rejects(crawl(t, answer, 600), {
      code: "datasource/unreachable",
      message: /^Fake: not all was said within 600 ms/,
    });
  }
  const { url } = await fakeService(t, {}, { guard: () => () => {} });
  const silent = crawlCloud(cloud, { addresses: [url], budgetMs: 600 });
  await t.rejects(silent, { message: `no metadata within 600 ms from ${url}: 1 way was tried` });
});

t.test("what an answer is called says nothing of what it is", async (t) => {
  for (const type of [
    "text/html",
    "image/png",
    "application/json; charset=utf-7",
    "nonsense",
    "",
  ]) {
    const answer: FakeAnswer = { status: 200, headers: { "content-type": type }, body: "right" };
    t.equal((await crawl(t, answer)).data, "right", type);
  }
  const page = { "content-type": "application/json" };
  for (const body of ["\n <HTML>log in</HTML>", "<!DOCTYPE html><p>log in"]) {
    await t.rejects(crawl(t, { status: 200, headers: page, body }), {
      ...{ code: "datasource/unreachable", message: /\/data: a page of HTML came/ },
      hint: "something answers in the place of the metadata service: look at the network between",
    });
  }
});

/** A service of bytes: what it does with its nth connection once something was asked. */
async function rawService(
  t: { teardown(end: () => void): void },
  does: (socket: Socket, connection: number) => void,
): Promise<string> {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const connection = sockets.push(socket);
    socket.on("error", () => {});
    socket.once("data", () => does(socket, connection));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

t.test("a connection that is half closed is no answer, or the end of one", async (t) => {
  const half: Record<string, string> = {
    "before an answer": "",
    "within its first line": "HTTP/1.1 2",
    "within its head": "HTTP/1.1 200 OK\r\nContent-Le",
    "within its body": "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
    "within a piece": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhalf",
  };
  const only = { ...cloud, crawl: async () => {} };
  const right = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\ni-1";
  for (const [what, early] of Object.entries(half)) {
    // Its own side stays open: nothing but the half-closing says that this is the end.
    const url = await rawService(t, (socket, n) => socket.end(n <= 2 ? early : right));
    const { attempts } = await crawlCloud(only, { addresses: [url], budgetMs: 20_000 });
    t.equal(attempts.at(-1)?.status, 200, what);
    t.equal(attempts.filter(({ error }) => error !== null).length, 2, `${what}: both are told`);
  }
});

t.test("a byte at a time ends with the budget, wherever it drips", async (t) => {
  const whole = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ni-1";
  for (const known of [0, "HTTP/1.1 200 OK\r\nX: ".length, whole.length - 3]) {
    const url = await rawService(t, (socket) => {
      socket.write(whole.slice(0, known));
      let at = known;
      const timer = setInterval(() => socket.write(whole[at++] ?? ""), 1_000);
      socket.once("close", () => clearInterval(timer));
    });
    const asked = crawlCloud(cloud, { addresses: [url], budgetMs: 500 });
    await t.rejects(asked, {
      code: "datasource/unreachable",
      message: /^no metadata within 500 ms/,
    });
  }
});

t.test("what is no HTTP at all is told as that", async (t) => {
  const url = await rawService(t, (socket) => socket.end("SSH-2.0-OpenSSH_9.2p1\r\n"));
  const asked = crawlCloud(cloud, { addresses: [url], budgetMs: 500 });
  const fault = await asked.catch((error: unknown) => error);
  t.match(fault, { code: "datasource/unreachable" });
  t.match(exchangesOf(fault), [{ status: null, error: /^what came is no HTTP \(HPE_/ }]);
});

t.test("a service is known by any of its probes, and by nothing without them", async (t) => {
  const { url } = await fakeService(t, { "/old/id": "i-1", "/data": "x" });
  const service = { ...cloud.service, probe: ["/new/id", "/old/id"] };
  const { answers } = await crawlCloud(
    { ...cloud, service },
    { addresses: [url], budgetMs: 5_000 },
  );
  t.equal(answers.size, 1);
  const other = await fakeService(t, {});
  const job = { addresses: [other.url], budgetMs: 5_000 };
  const nothing = crawlCloud({ ...cloud, service }, job, undefined, { patienceMs: 0 });
  await t.rejects(nothing, {
    code: "datasource/unreachable",
    message: `${other.url}/new/id and /old/id: answered with 404`,
  });
});

t.test("who answers what is not of this service is asked again, for a while", async (t) => {
  const notYet: Record<string, FakeAnswer> = {
    "nothing there yet": { status: 404 },
    "a page to log in": "<html><body>Log in</body></html>",
    "led away": { status: 302, headers: { location: "http://192.0.2.1/x" } },
    refused: { status: 403 },
    "nothing at all": { status: 204 },
    "an empty line": "\n",
    "what is no text": Buffer.from([0xff, 0xfe, 0x00, 0x80]),
  };
  const ask = (url: string, patienceMs: number) =>
    crawlCloud(cloud, { addresses: [url], budgetMs: 20_000 }, undefined, {
      ...{ patienceMs, lookAgainMs: 20 },
    });
  for (const [what, answer] of Object.entries(notYet)) {
    const early = await fakeService(t, { "/id": first(3, answer, "i-1"), "/data": "x" });
    const { answers } = await ask(early.url, 15_000);
    t.equal(answers.size, 1, what);
    const never = await fakeService(t, { "/id": answer });
    const code = what === "refused" ? "datasource/refused" : "datasource/unreachable";
    await t.rejects(ask(never.url, 100), { code, message: never.url }, what);
    t.ok(never.requests.length > 1);
  }
});

t.test("another port of the same address is asked there, and kept apart", async (t) => {
  const { url } = await fakeService(t, { "/id": "i-1", "/data": "here" });
  const other = await fakeService(t, { "/data": "there" });
  const { port } = new URL(other.url);
  const { answers } = await crawlCloud(
    {
      ...cloud,
      async crawl(client) {
        await client.get("/data");
        await client.get(`:${port}/data`);
      },
    },
    { addresses: [url], budgetMs: 5_000 },
  );
  t.same(
    [...answers].map(([path, bytes]) => [path, Buffer.from(bytes).toString()]),
    [
      ["/data", "here"],
      [`:${port}/data`, "there"],
    ],
  );
  t.same(other.requests, ["GET /data"]);
});

t.test("what may be missing has its own time, and the rest is asked after it", async (t) => {
  const { url } = await fakeService(t, { "/id": "i-1", "/data": "x", "/silent": () => {} });
  const { answers } = await crawlCloud(
    {
      ...cloud,
      async crawl(client) {
        await t.rejects(client.get("/silent", { withinMs: 100 }), {
          code: "datasource/unreachable",
          message: `${url}/silent: nothing came within 100 ms`,
        });
        await client.get("/data");
      },
    },
    { addresses: [url], budgetMs: 20_000 },
  );
  t.same([...answers.keys()], ["/data"]);
});

t.test("a machine that does not know where to ask says so at once", async (t) => {
  await t.rejects(crawlCloud(cloud, { addresses: [], budgetMs: 600_000 }), {
    code: "datasource/unreachable",
    message: /does not know yet where/,
  });
});

const interfaces: Interfaces = Object.fromEntries(
  [1, 2, 3, 4].map((n) => [
    `eth${n}`,
    [
      { address: `192.0.2.${n}`, family: "IPv4" },
      { address: `fe80::${n}`, family: "IPv6", scopeid: n },
    ].map((one) => ({ ...one, internal: false }) as NonNullable<Interfaces[string]>[number]),
  ]),
);

t.test("every way is taken: the kernel's, each interface, link-local on each", async (t) => {
  const found = candidatesFor(
    ["http://169.254.169.254", "http://[fe80::a9fe:a9fe]", "http://[fd00:ec2::254]"],
    interfaces,
  );
  t.same(
    found.map(({ host, localAddress, from }) => [host, localAddress, from]),
    [
      ["169.254.169.254", undefined, null],
      ...[1, 2, 3, 4].map((n) => ["169.254.169.254", `192.0.2.${n}`, `192.0.2.${n} (eth${n})`]),
      ...[1, 2, 3, 4].map((n) => [`fe80::a9fe:a9fe%eth${n}`, undefined, `eth${n}`]),
      ["fd00:ec2::254", undefined, null],
    ],
  );
  const { eth1 } = interfaces;
  t.equal(candidatesFor(["http://169.254.169.254"], { eth1 }).length, 1, "one interface: one way");
});

t.test("which interface the kernel takes is told, whatever address is asked from", async (t) => {
  const default4 = (name: string, metric: number) =>
    `${name}\t00000000\t010200C0\t0003\t0\t0\t${metric}\t00000000\t0\t0\t0`;
  const default6 = (name: string, source = "0".repeat(32), length = "00") =>
    `${"0".repeat(32)} 00 ${source} ${length} fe8${"0".repeat(28)}1 00000400 0 0 00000003 ${name}`;
  const link4 = "eth3\tFEA9FEA9\t00000000\t0005\t0\t0\t900\tFFFFFFFF\t0\t0\t0";
  const source3 = "20010db8000000000000000000000003";
  const reject6 = `${"0".repeat(32)} 00 ${"0".repeat(32)} 00 ${"0".repeat(32)} ffffffff 0 0 00200200 lo`;
  const both: Interfaces = Object.fromEntries(
    [1, 2, 3].map((n) => [
      `eth${n}`,
      [
        { address: `192.0.2.${n}`, family: "IPv4", internal: false },
        { address: `2001:db8::${n}`, family: "IPv6", internal: false },
      ] as never,
    ]),
  );
  const told = (address: string, rows: readonly string[]) =>
    candidatesFor([address], both, (table) =>
      ["Iface\tDestination", ...rows]
        .join("\n")
        .repeat(+(table.startsWith("ipv6") === address.includes("["))),
    )
      .flatMap(({ from }) => from ?? [])
      .map((from) => from.replace(/^.*?\(/, "").replace(")", ""));
  const ipv4 = "http://169.254.169.254";
  const ipv6 = "http://[fd00:ec2::254]";
  const by = (name: string) =>
    [1, 2, 3].map((n) => (name === `eth${n}` ? name : `eth${n}, which leaves by ${name}`));
  t.same(
    told(ipv4, [default4("eth2", 1_002), default4("eth1", 1_024)]),
    by("eth2"),
    "the lower metric",
  );
  t.same(told(ipv4, [default4("eth2", 0), link4]), by("eth3"), "the longer prefix");
  t.same(told(ipv4, []), ["eth1", "eth2", "eth3"], "no routes: nothing is claimed");
  t.same(told(ipv4, ["eth1 x", "", "eth1\tzz\t\t0003"]), ["eth1", "eth2", "eth3"]);
  t.same(told(ipv6, [default6("eth1"), reject6]), by("eth1"));
  t.same(told(ipv6, [reject6]), ["eth1", "eth2", "eth3"], "a route that refuses");
  for (const length of ["", "zz", "81", "ff", "080", "-1"]) {
    const broken = [
      `${"0".repeat(32)} ${length} ${"0".repeat(32)}`,
      default6("eth1", source3, length),
    ];
    const cut = broken.map((row) => row.replace(/ 00 /, ` ${length} `));
    t.same(told(ipv6, [...broken, ...cut, default6("eth2")]), by("eth2"), `length ${length}`);
  }
  t.same(
    told(ipv6, [default6("eth1"), default6("eth2")]),
    by("eth1 or eth2"),
    "as good as each other",
  );
  t.same(
    told(ipv6, [default6("eth3", source3, "80")]),
    ["eth1", "eth2", "eth3"],
    "of its own source",
  );
});

t.test(
  "with four interfaces and no answer all ways are asked at once, within the budget",
  async (t) => {
    mock.timers.enable({ apis: ["setTimeout"] });
    t.teardown(() => mock.timers.reset());
    const asked: number[] = [];
    let nowMs = 0;
    const open = (_candidate: unknown, { signal }: { readonly signal: AbortSignal }): Exchange => ({
      get: () => {
        asked.push(nowMs);
        return new Promise((_, reject) =>
          signal.addEventListener("abort", () => reject(signal.reason)),
        );
      },
      post: () => Promise.reject(new Error("nothing is said")),
      close() {},
    });
    const ended = crawlCloud(cloud, { budgetMs: 30_000 }, undefined, {
      interfaces: () => interfaces,
      open,
    }).then(
      () => t.fail("nothing answers"),
      (error: Error) => error.message,
    );
    let message: unknown;
    void ended.then((said) => {
      message = said;
    });
    for (; message === undefined && nowMs < 60_000; nowMs += 500) {
      await new Promise((resolve) => setImmediate(resolve));
      mock.timers.tick(500);
      await new Promise((resolve) => setImmediate(resolve));
    }
    t.match(
      message,
      /^no metadata within 30000 ms from http:\/\/169\.254\.169\.254: 5 ways were tried/,
    );
    t.same(asked, [0, 0, 0, 0, 0], "at once, none after another");
    t.ok(nowMs <= 30_500, `${nowMs} ms`);
  },
);

/** A port that lies open, whose queue is full and whose program sleeps: the kernel drops who knocks. */
async function neverAccepted(t: { teardown(end: () => void): void }, host: string) {
  const listens = `require("node:net").createServer().listen(
    { host: ${JSON.stringify(host)}, port: 0, backlog: 1 },
    function () {
      require("node:fs").writeSync(1, String(this.address().port));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    },
  )`;
  const child = spawn(process.execPath, ["-e", listens], { stdio: ["ignore", "pipe", "inherit"] });
  t.teardown(() => child.kill("SIGKILL"));
  const [said] = await once(child.stdout, "data");
  const port = Number(String(said));
  for (let queued = 0; queued < 2; queued += 1) {
    const socket = connect({ host, port });
    socket.on("error", () => {}); // its end is that of the test
    t.teardown(() => socket.destroy());
    await once(socket, "connect");
  }
  return host.includes(":") ? `http://[${host}]:${port}` : `http://${host}:${port}`;
}

for (const host of ["127.0.0.1", "::1"])
  t.test(`a connection to ${host} that nobody accepts is given up after 2 s`, async (t) => {
    const address = await neverAccepted(t, host);
    mock.timers.enable({ apis: ["setTimeout"] });
    t.teardown(() => mock.timers.reset());
    let nowMs = 0;
    const givenUp: { readonly atMs: number; readonly error: string | null }[] = [];
    const open: typeof openExchange = (candidate, context) =>
      openExchange(candidate, {
        ...context,
        record(attempt) {
          givenUp.push({ atMs: nowMs, error: attempt.error });
          context.record(attempt);
        },
      });
    let fault: unknown;
    const job = { addresses: [address], budgetMs: 8_000 };
    const ended = crawlCloud(cloud, job, undefined, { interfaces: () => ({}), open }).catch(
      (error: unknown) => {
        fault = error;
      },
    );
    const stepMs = 10;
    const turns = async (most: number, until = () => false) => {
      for (let turn = 0; turn < most && !until(); turn += 1)
        await new Promise((resolve) => setImmediate(resolve));
    };
    await turns(10_000, () => process.getActiveResourcesInfo().includes("TCPConnectWrap"));
    for (; fault === undefined && nowMs < 20_000; nowMs += stepMs) {
      await turns(4);
      mock.timers.tick(stepMs);
    }
    await ended;
    t.match(fault, { code: "datasource/unreachable", message: /^no metadata within 8000 ms / });
    const timedOut = givenUp.filter(({ error }) => error === "ETIMEDOUT");
    t.equal(timedOut.length, 3, "and tried again");
    const [firstMs = 0, secondMs = 0] = timedOut.map(({ atMs }) => atMs);
    // It is told after the pause that follows: 100 to 200 ms, then 200 to 400.
    const lateMs = 10 * stepMs;
    t.ok(firstMs >= 2_100 - stepMs && firstMs <= 2_200 + lateMs, `after ${firstMs} ms`);
    const againMs = secondMs - firstMs;
    t.ok(againMs >= 2_200 - lateMs && againMs <= 2_400 + lateMs, `again after ${againMs} ms`);
    t.ok(nowMs <= 8_000 + 2 * stepMs, `ended after ${nowMs} ms`);
  });

t.test("another service's answer ends it in time, also beside a dead address", async (t) => {
  let nowMs = 0;
  let asked = 0;
  const budget = new AbortController();
  const open = ({ host }: { readonly host: string }): Exchange => ({
    get() {
      if (host === "192.0.2.1") return new Promise(() => {});
      if (++asked > 100) budget.abort();
      nowMs += 1_000;
      return Promise.reject(new Fault("datasource/refused", `${host}: answered with 403`));
    },
    post: () => Promise.reject(new Error("nothing is said")),
    close() {},
  });
  const { signal } = budget;
  const opened = openService({
    ...{ service: cloud.service, signal, budgetMs: 300_000, startedAt: 0, record: () => {} },
    ...{ addresses: ["http://192.0.2.1", "http://192.0.2.2"], open, interfaces: () => ({}) },
    ...{ lookAgainMs: 1, now: () => nowMs },
  });
  await t.rejects(opened, { code: "datasource/refused", message: "192.0.2.2: answered with 403" });
  t.equal(asked, 11, "for 10 s from its first answer on");
});

t.test("an interface that gets its address later is asked then", async (t) => {
  const { url } = await fakeService(t, { "/id": "i-1", "/data": "x" });
  const lo = [{ address: "127.0.0.1", family: "IPv4", internal: true }] as never;
  let looks = 0;
  const { service } = await crawlCloud(
    cloud,
    { addresses: ["http://[fe80::1]", url], budgetMs: 10_000 },
    undefined,
    { interfaces: () => (looks++ === 0 ? {} : { lo }) },
  );
  t.equal(service?.url, url);
});

t.test("what a child says is a report, or is not believed", async (t) => {
  const attempt = {
    ...{ method: "GET", url: "http://x/id", from: null, atMs: 1, ms: 2, status: 200 },
    error: null,
  };
  const report = {
    service: { url: "http://x", from: null },
    answers: new Map([["/id", Buffer.from("i-1")]]),
    attempts: [attempt],
    unrecorded: 7,
    lacks: [{ level: "note", path: "/x", problem: "answered with 403" } as const],
    tokenless: true,
    strangers: [{ url: "http://y", from: null, speaksOf: "i-2" }],
  };
  const job = { datasource: "Fake", budgetMs: 1 };
  t.same(readReport(await reportOf(Promise.resolve(report)), job), report);
  const failed = Object.assign(new Error("broken"), { attempts: [attempt], unrecorded: 7 });
  const text = await reportOf(Promise.reject(failed));
  const caught = (): unknown => {
    try {
      return readReport(text, job);
    } catch (error) {
      return error;
    }
  };
  t.match(caught(), { code: "cli/internal", message: "broken" });
  t.same(exchangesOf(caught()), [attempt]);
  t.equal(unrecordedOf(caught()), 7);
  for (const other of ["", "{}", '{"v":1}', "null", text.replace('"v":1', '"v":2')])
    t.throws(() => readReport(other, job), { code: "datasource/unreachable" }, other.slice(0, 20));
  const telling = { ...job, task: "ready", problem: "it failed" };
  const named = { ...job, tokens: "none", named: ["http://data-server"] };
  for (const each of [job, telling, named]) t.same(readJob(JSON.stringify(each)), each);
  for (const wrong of [
    "",
    "{}",
    '{"datasource":"Fake"}',
    '{"datasource":"F","budgetMs":1,"tokens":"some"}',
    '{"datasource":"F","budgetMs":1,"named":["x"]}',
    '{"datasource":"F","budgetMs":1,"addresses":["x"]}',
    '{"datasource":"F","budgetMs":1,"task":"ready","problem":7}',
  ])
    t.equal(readJob(wrong), undefined, wrong);
});

t.test("a way that was not needed is not asked again when another has answered", async (t) => {
  const { url } = await fakeService(t, { "/id": "i-1", "/data": "x" });
  const { port } = new URL((await fakeService(t, {}, { host: "127.0.0.2" })).url);
  const closed = `http://127.0.0.3:${port}`;
  await crawlCloud(cloud, { addresses: [closed, url], budgetMs: 10_000 });
  const late = await fakeService(t, { "/id": "i-2" }, { host: "127.0.0.3", port: Number(port) });
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  t.same(late.requests, []);
});

t.test("an answer is asked for as it is, and unpacked where it comes packed", async (t) => {
  const asked: (string | undefined)[] = [];
  const packed =
    (body: Uint8Array, encoding = "gzip"): FakeAnswer =>
    ({ headers }, response) => {
      asked.push(String(headers["accept-encoding"]));
      response.writeHead(200, { "content-encoding": encoding });
      response.end(body);
    };
  t.equal((await crawl(t, packed(gzipSync("right")))).data, "right");
  t.same(asked, ["identity"]);
  const wrong: readonly (readonly [FakeAnswer, RegExp])[] = [
    [packed(gzipSync(Buffer.alloc(100_001))), /more than 100000 bytes/],
    [packed(Buffer.from("no gzip")), /gzip came that cannot be unpacked/],
    [packed(Buffer.from("x"), "br"), /an encoding came that was not asked for/],
  ];
  for (const [answer, message] of wrong)
    await t.rejects(crawl(t, answer), { code: "datasource/malformed", message });
  const page = packed(gzipSync("<html>Log in</html>"));
  await t.rejects(crawl(t, page), { code: "datasource/unreachable", message: /a page of HTML/ });
});

t.test("nothing there is nothing there, whatever comes with it", async (t) => {
  const withBody =
    (headers: Record<string, string>, send: (response: ServerResponse) => void): FakeAnswer =>
    (_request, response) => {
      response.writeHead(404, headers);
      send(response);
    };
  let sent = 0;
  const endless = (response: ServerResponse) => {
    sent += 65_536;
    if (!response.destroyed && sent < 2 ** 30)
      response.write(Buffer.alloc(65_536), () => endless(response));
  };
  const drip = (response: ServerResponse) => {
    const timer = setInterval(() => response.write("x"), 50);
    response.on("close", () => clearInterval(timer));
  };
  const bodies: Record<string, FakeAnswer> = {
    large: withBody({}, (response) => response.end(Buffer.alloc(300_000))),
    "without end": withBody({}, endless),
    "a page of HTML": withBody({}, (response) => response.end("<html>404</html>")),
    "packed as nobody asked": withBody({ "content-encoding": "br" }, (response) =>
      response.end("x"),
    ),
    "no gzip": withBody({ "content-encoding": "gzip" }, (response) => response.end("no gzip")),
    "a bomb": withBody({ "content-encoding": "gzip" }, (response) =>
      response.end(gzipSync(Buffer.alloc(10_000_000))),
    ),
    "half of it": withBody({ "content-length": "10" }, (response) =>
      response.write("half", () => response.destroy()),
    ),
    "a byte at a time": withBody({}, drip),
  };
  for (const [what, answer] of Object.entries(bodies)) {
    const { data, requests, attempts } = await crawl(t, answer, 8_000);
    t.equal(data, "", what);
    t.same(requests, ["GET /id", "GET /data"], what);
    t.match(attempts, [{ status: 200 }, { status: 404 }], what);
  }
  t.ok(sent < 64 * 2 ** 20, `${sent} bytes were sent`);
  const refused: FakeAnswer = { status: 403, headers: { "content-encoding": "br" }, body: "x" };
  await t.rejects(crawl(t, refused), { code: "datasource/refused" });
});

t.test("what is asked for at first may be as large as what is read of it", async (t) => {
  const large = "x".repeat(2 * 1024 * 1024);
  const { url } = await fakeService(t, { "/id": large, "/data": "x" });
  const read = (probeMaxBytes: number) =>
    crawlCloud(
      { ...cloud, service: { ...cloud.service, probeMaxBytes } },
      { addresses: [url], budgetMs: 5_000 },
    );
  t.equal((await read(3 * 1024 * 1024)).answers.size, 1);
  await t.rejects(read(1024 * 1024), { message: /more than 1048576 bytes/ });
});

t.test("what a machine can do without takes a part of the time only", async (t) => {
  const silent: FakeAnswer = () => {};
  const paths = Array.from({ length: 60 }, (_, number) => `/silent/${number}`);
  const { url } = await fakeService(t, {
    ...{ "/id": "i-1", "/data": "x" },
    ...Object.fromEntries(paths.map((path) => [path, silent])),
  });
  const without = {
    ...cloud,
    async crawl(client: MetadataClient) {
      for (const path of paths) await client.get(path, { without: "note" });
      await client.get("/data");
    },
  };
  const { answers, lacks } = await crawlCloud(without, { addresses: [url], budgetMs: 3_000 });
  t.ok(answers.has("/data"));
  t.equal(lacks?.length, paths.length);
});

t.test("a service is asked by the names that the network knows", async (t) => {
  const { url } = await fakeService(t, { "/id": "i-1", "/data": "x" });
  const named = ["http://nobody.invalid", url.replace("127.0.0.1", "localhost")];
  const { service } = await crawlCloud(cloud, { addresses: [], named, budgetMs: 5_000 });
  t.equal(service?.url, url);
  const unknown = crawlCloud(cloud, { addresses: [], named: named.slice(0, 1), budgetMs: 5_000 });
  await t.rejects(unknown, { message: /does not know yet where/ });
});

t.test("the status of an answer decides, however large its body is", async (t) => {
  const large = (status: number, headers = {}): FakeAnswer => ({
    ...{ status, headers, body: "x".repeat(2 * 1024 * 1024) },
  });
  const busy = await crawl(t, first(1, large(503, { "retry-after": "0" }), "right"));
  t.equal(busy.data, "right");
  t.match(busy.attempts, [{ status: 200 }, { status: 503 }, { status: 200 }]);
  await t.rejects(crawl(t, large(503, { "retry-after": "60" })), {
    ...{ code: "datasource/unreachable", message: /answered with 503/ },
  });
  await t.rejects(crawl(t, large(403)), {
    ...{ code: "datasource/refused", message: /answered with 403/ },
  });
  await t.rejects(crawl(t, large(302, { location: "http://192.0.2.1/x" })), {
    message: /leads away to http:\/\/192\.0\.2\.1,/,
  });
});

t.test("a token that has run out is renewed, whatever is answered beside it", async (t) => {
  const busy = { status: 503, body: `<html>${"e".repeat(5_000)}` };
  const { url, requests } = await fakeService(t, {
    "/token": first(1, "old", first(1, busy, "new")),
    "/id": "i-1",
    "/data": ({ headers }, response) => {
      if (headers["x-token"] === "new") response.end("right");
      else response.writeHead(401).end("x".repeat(2 * 1024 * 1024));
    },
  });
  const token = { method: "PUT", path: "/token", headers: {}, header: "x-token" } as const;
  const { answers } = await crawlCloud(
    { ...cloud, service: { ...cloud.service, token } },
    { addresses: [url], budgetMs: 20_000 },
  );
  t.equal(Buffer.from(answers.get("/data") ?? []).toString(), "right");
  t.same(requests.filter((each) => each.endsWith("/token")).length, 3);
});

t.test("what stood in the way is told at the end of the time", async (t) => {
  const down: FakeAnswer = { status: 500 };
  await t.rejects(crawl(t, down, 600), {
    code: "datasource/unreachable",
    message: /^Fake: not all was said within 600 ms: http:.*\/data: answered with 500$/,
  });
  const { url } = await fakeService(t, { "/id": down });
  await t.rejects(crawlCloud(cloud, { addresses: [url], budgetMs: 600 }), {
    message: `no metadata within 600 ms from ${url}: 1 way was tried; ${url}/id: answered with 500`,
  });
  const some = await fakeService(t, { "/id": "i-1", "/data": down });
  const without = {
    ...cloud,
    crawl: async (client: MetadataClient) =>
      void (await client.get("/data", { without: "note", withinMs: 300 })),
  };
  const { lacks } = await crawlCloud(without, { addresses: [some.url], budgetMs: 5_000 });
  const problem = `${some.url}/data: answered with 500, and nothing else came within 300 ms`;
  t.match(lacks, [{ problem }]);
});

/** Has a clock of its own run until something has ended; what is asked meanwhile takes none of it. */
async function onFakeClock<T>(
  t: { teardown(end: () => void): void },
  begin: (nowMs: () => number) => Promise<T>,
): Promise<T> {
  mock.timers.enable({ apis: ["setTimeout"] });
  t.teardown(() => mock.timers.reset());
  let nowMs = 0;
  let isOver = false;
  const ended = begin(() => nowMs).finally(() => {
    isOver = true;
  });
  ended.catch(() => {}); // awaited below
  for (; !isOver && nowMs < 300_000; nowMs += clockStepMs) {
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    mock.timers.tick(clockStepMs);
  }
  return ended;
}

const clockStepMs = 20;
/** What the turns of an exchange may take of that clock. */
const clockLateMs = 10 * clockStepMs;

/** When a place was asked that answers so at first, by that clock. */
async function timesAsked(
  t: { teardown(end: () => void): void },
  early: readonly FakeAnswer[],
  budgetMs: number,
): Promise<readonly number[]> {
  const times: number[] = [];
  const told = early.reduceRight<FakeAnswer>((then, answer) => first(1, answer, then), "right");
  let now = () => 0;
  const { url } = await fakeService(
    t,
    { "/id": "i-1", "/data": told },
    {
      guard({ url: path }) {
        if (path === "/data") times.push(now());
        return undefined;
      },
    },
  );
  await onFakeClock(t, (nowMs) => {
    now = nowMs;
    const fakes = { interfaces: () => ({}) };
    return crawlCloud(cloud, { addresses: [url], budgetMs }, undefined, fakes);
  });
  return times;
}

t.test("a service that says when is asked again then, and no sooner", async (t) => {
  const busy: FakeAnswer = { status: 429, headers: { "retry-after": "3" } };
  const [firstMs = 0, secondMs = 0] = await timesAsked(t, [busy], 60_000);
  const pause = secondMs - firstMs;
  t.ok(pause >= 3_000 - clockStepMs && pause <= 3_000 + clockLateMs, `${pause} ms`);
});

t.test("pauses grow where a service stays away", async (t) => {
  const away = Array.from({ length: 7 }, (): FakeAnswer => ({ status: 503 }));
  const times = await timesAsked(t, away, 120_000);
  t.equal(times.length, 8);
  for (const [index, longestMs] of [200, 400, 800, 1_600, 3_200, 5_000, 5_000].entries()) {
    const pause = (times[index + 1] ?? 0) - (times[index] ?? 0);
    const isWithin = pause >= longestMs / 2 - clockStepMs && pause <= longestMs + clockLateMs;
    t.ok(isWithin, `pause ${index + 1}: ${pause} ms`);
  }
});

t.test("who wants to be left alone for longer than there is time is left alone", async (t) => {
  const busy: FakeAnswer = { status: 429, headers: { "retry-after": "60" } };
  const token = { method: "PUT", path: "/token", headers: {}, header: "x-token" } as const;
  const { service } = cloud;
  for (const [asked, path] of [
    [service, "GET /id"],
    [{ ...service, token }, "PUT /token"],
  ] as const) {
    const { url, requests } = await fakeService(t, { "/id": busy, "/token": busy });
    const job = { addresses: [url], budgetMs: 500 };
    const left = crawlCloud({ ...cloud, service: asked }, job, undefined, { lookAgainMs: 20 });
    const place = `${url}${path.split(" ")[1]}`;
    await t.rejects(left, {
      code: "datasource/unreachable",
      message: `no metadata within 500 ms from ${url}: 1 way was tried; ${place}: answered with 429`,
    });
    t.same(requests, [path]);
  }
});

/** Pages as portals send them, none of which begins as a page should. */
const pages: Record<string, string> = {
  "a byte order mark first": "\ufeff<!DOCTYPE html><html>Log in</html>",
  "a comment first": "<!-- Portal -->\n<html>Log in</html>",
  "a declaration of XML first": '<?xml version="1.0"?>\n<!DOCTYPE html><html>Log in</html>',
  "no html element": "<head><title>Log in</title></head>",
  "a script": "<script>location = '/login'</script>",
  "a meta element": '<META http-equiv="refresh" content="0; url=/login">',
};

t.test("a page of a portal is none of the service, however it begins", async (t) => {
  for (const [what, page] of Object.entries(pages)) {
    const { url } = await fakeService(t, { "/id": page, "/data": page });
    const job = { addresses: [url], budgetMs: 5_000 };
    await t.rejects(
      crawlCloud(cloud, job, undefined, { patienceMs: 0 }),
      { code: "datasource/unreachable", message: `${url}/id: a page of HTML came` },
      what,
    );
    await t.rejects(
      crawl(t, page),
      { code: "datasource/unreachable", message: /\/data: a page of HTML came/ },
      `${what}: of one that comes later`,
    );
    const xml = { ...cloud, service: { ...cloud.service, markup: true } };
    await t.rejects(
      crawlCloud(xml, job, undefined, { patienceMs: 0 }),
      { code: "datasource/unreachable", message: `${url}/id: a page of HTML came` },
      `${what}: where XML is spoken`,
    );
  }
});

t.test("XML is for those who speak it", async (t) => {
  const document = '\ufeff<?xml version="1.0"?><GoalState><header/></GoalState>';
  await t.rejects(crawl(t, document), { message: /markup \(HTML, XML\) came/ });
  const { url } = await fakeService(t, { "/id": document, "/data": document });
  const xml = { ...cloud, service: { ...cloud.service, markup: true } };
  const { answers } = await crawlCloud(xml, { addresses: [url], budgetMs: 5_000 });
  t.equal(answers.size, 1);
  for (const yaml of ["<<: *usual\n", "a: <html>"]) t.equal((await crawl(t, yaml)).data, yaml);
});

t.test(
  "what a machine can do without takes no more than its part when it comes, either",
  async (t) => {
    let nowMs = 0;
    const asked: string[] = [];
    const open = (): Exchange => ({
      async get(path) {
        asked.push(path);
        if (path.startsWith("/leaf/")) nowMs += 100;
        return Buffer.from("x");
      },
      post: () => Promise.reject(new Error("nothing is said")),
      close() {},
    });
    const slow = {
      ...cloud,
      async crawl(client: MetadataClient) {
        for (let leaf = 0; client.hasTime(); leaf++) {
          await client.get(`/leaf/${leaf}`, { without: "note" });
          if (leaf > 1_000) break;
        }
        await client.get("/left", { without: "note" });
        await client.get("/data");
      },
    };
    const fakes = { open, interfaces: () => ({}), now: () => nowMs };
    const { answers, lacks } = await crawlCloud(slow, { budgetMs: 30_000 }, undefined, fakes);
    t.equal(asked.filter((path) => path.startsWith("/leaf/")).length, 100, "a third of 30 s");
    t.match(lacks, [{ path: "/left", problem: "not asked for: what came before took too long" }]);
    t.notOk(asked.includes("/left"));
    t.ok(answers.has("/data"));
  },
);

t.test(
  "of many exchanges the first and the last ones are kept, and the others counted",
  async (t) => {
    const attempts = async (count: number, open: typeof openExchange) => {
      const many = {
        ...cloud,
        async crawl(client: MetadataClient) {
          for (let at = 1; at < count; at++) await client.get(`/${at}`);
        },
      };
      const report = await crawlCloud(many, { budgetMs: 30_000 }, undefined, {
        ...{ open, interfaces: () => ({}) },
      });
      const urls = report.attempts.map(({ url }) => url);
      return { urls, unrecorded: report.unrecorded };
    };
    let asked = 0;
    const open: typeof openExchange = (_candidate, { record }) => ({
      async get() {
        const url = String(asked++);
        record({ method: "GET", url, from: null, atMs: 0, ms: 0, status: 200, error: null });
        return Buffer.from("x");
      },
      post: () => Promise.reject(new Error("nothing is said")),
      close() {},
    });
    const many = await attempts(1_200, open);
    t.equal(many.unrecorded, 700);
    t.same(
      [many.urls[0], many.urls[49], many.urls[50], many.urls[499]],
      ["0", "49", "750", "1199"],
    );
    t.equal(many.urls.length, 500);
    t.equal((await attempts(500, open)).unrecorded, 0);
  },
);

t.test("a tree as large as one may be is a report", async (t) => {
  const answers = new Map(
    Array.from({ length: 3_003 }, (_, number) => [`/${number}`, Buffer.from("x")] as const),
  );
  const lacks = [...answers.keys()].map((path) => ({ level: "note" as const, path, problem: "x" }));
  const report = { service: null, answers, attempts: [], unrecorded: 0, lacks, tokenless: false };
  const text = await reportOf(Promise.resolve(report));
  t.equal(readReport(text, { datasource: "Fake" }).answers.size, 3_003);
});
