import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { hostIo } from "#core/host-io.ts";
import type { Check } from "#generated/provisioner/spec/v1.ts";
import { defaultLimits } from "../link/link-settings.ts";
import { hostProbe, type ProbeSources } from "./probe.ts";

const { signal } = new AbortController();
const nothing: ProbeSources = {
  witness: async () => ({ v: 1, readings: {}, failures: [], missingTools: [], ms: 0 }),
  linkSettings: async () => undefined,
};

t.test("files", async (t) => {
  const root = t.testdir({ run: { ready: "" } });
  const probe = hostProbe(fakeIo(root), nothing);
  t.equal((await probe({ type: "file", path: "/run/ready" }, signal)).passed, true);
  t.equal((await probe({ type: "file", path: "/run/never" }, signal)).passed, false);
});

t.test("commands without a shell: code, deadline, missing program", async (t) => {
  const probe = hostProbe(hostIo({ root: t.testdir() }), nothing);
  t.equal((await probe({ type: "command", command: ["true"] }, signal)).passed, true);
  t.match(await probe({ type: "command", command: ["sh", "-c", "exit 3"] }, signal), {
    passed: false,
    message: /ended with 3/,
  });
  t.match(await probe({ type: "command", command: ["sleep", "60"], timeout: "50ms" }, signal), {
    passed: false,
    message: /no end within 50 ms/,
  });
  t.match(await probe({ type: "command", command: ["no-such-program"] }, signal), {
    passed: false,
    message: /no such program/,
  });
  t.match(await probe({ type: "command", command: ["echo $(exit 3); false"] }, signal), {
    passed: false,
  });
});

t.test("units, as systemd says", async (t) => {
  const states: Readonly<Record<string, number>> = { "good.service": 0, "bad.service": 3 };
  const io = fakeIo(t.testdir(), {
    systemctl: ({ args }) => {
      const code = states[args.at(-1) ?? ""] ?? 4;
      return { code, stdout: code === 0 ? "active\n" : "failed\n" };
    },
  });
  const probe = hostProbe(io, nothing);
  t.equal((await probe({ type: "unit", unit: "good.service" }, signal)).passed, true);
  t.match(await probe({ type: "unit", unit: "bad.service" }, signal), {
    passed: false,
    message: "unit bad.service: failed, expected active",
  });
  t.strictSame(io.executed[0]?.args, ["is-active", "--", "good.service"]);
});

t.test("TCP and HTTP on loopback: there, not there, hanging, wrong status", async (t) => {
  const probe = hostProbe(hostIo({ root: t.testdir() }), nothing);
  const silent = createServer(() => {}).listen(0, "127.0.0.1");
  const web = createHttpServer((request, response) => {
    response.statusCode = request.url === "/down" ? 503 : 204;
    response.end();
  }).listen(0, "127.0.0.1");
  await Promise.all(
    [silent, web].map((server) =>
      server.listening ? null : new Promise((resolve) => server.once("listening", resolve)),
    ),
  );
  const port = (server: { address(): unknown }) => (server.address() as AddressInfo).port;
  t.teardown(() => {
    silent.close();
    web.closeAllConnections();
    web.close();
  });
  const url = `http://127.0.0.1:${port(web)}`;
  t.equal(
    (await probe({ type: "tcp", host: "127.0.0.1", port: port(silent) }, signal)).passed,
    true,
  );
  t.equal((await probe({ type: "http", url }, signal)).passed, true);
  t.equal((await probe({ type: "http", url: `${url}/down`, status: 503 }, signal)).passed, true);
  t.match(await probe({ type: "http", url: `${url}/down` }, signal), {
    passed: false,
    message: /status 503, expected 2xx/,
  });
  const secretive = url.replace("//", "//user:canary@");
  const told = await probe(
    { type: "http", url: `${secretive}/down?token=canary`, status: 503 },
    signal,
  );
  t.match(told, { passed: false, message: /\/down/ });
  t.notMatch(told.message, "canary");
  const hanging = {
    type: "http",
    url: `http://127.0.0.1:${port(silent)}`,
    timeout: "100ms",
  } as const;
  t.equal((await probe(hanging, signal)).passed, false);
  silent.close();
  const closed = await new Promise<number>((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const free = port(server);
      server.close(() => resolve(free));
    });
  });
  t.match(await probe({ type: "tcp", host: "127.0.0.1", port: closed }, signal), {
    passed: false,
    message: /ECONNREFUSED/,
  });
});

t.test("no look takes longer than it may, with a time of its own or without", async (t) => {
  const limitMs = 100;
  const silent = createServer(() => {}).listen(0, "127.0.0.1");
  await new Promise((resolve) => silent.once("listening", resolve));
  t.teardown(() => silent.close());
  const { port } = silent.address() as AddressInfo;
  const root = t.testdir();
  const never = () => new Promise<never>(() => {});
  const probe = hostProbe(hostIo({ root }), {
    witness: never,
    linkSettings: async () => ({
      ...{ address: { fleet: "f", node: "n" }, host: "127.0.0.1", port, clientId: "n" },
      ...{ acknowledge: "broker", healthIntervalMs: 60_000, limits: defaultLimits },
    }),
  });
  const url = `http://127.0.0.1:${port}`;
  const late = /no (answer|end) within 100 ms/;
  const checks: readonly Check[] = [
    { type: "http", url },
    { type: "http", url, timeout: "1h" },
    { type: "command", command: ["sleep", "3600"] },
    { type: "command", command: ["sleep", "3600"], timeout: "1h" },
    { type: "temperature", celsius: 90 },
    { type: "link" },
  ];
  for (const check of checks) {
    t.match(await probe(check, signal, limitMs), { passed: false, message: late }, check.type);
  }
  const asked = fakeIo(root, {
    systemctl: ({ args }) => ({ stdout: args[0] === "is-system-running" ? "starting\n" : "" }),
    timedatectl: () => ({}),
    getent: () => ({}),
    sleep: () => ({}),
  });
  const fake = hostProbe(asked, nothing);
  const sleeps: Check = { type: "command", command: ["sleep", "1"] };
  const asking: readonly Check[] = [
    { type: "unit", unit: "a.service" },
    { type: "systemd" },
    { type: "time" },
    { type: "dns", name: "cache.example.org" },
    sleeps,
  ];
  for (const check of asking) {
    await fake(check, signal, limitMs);
  }
  t.strictSame(new Set(asked.executed.map(({ timeoutMs }) => timeoutMs)), new Set([limitMs]));
  t.equal(asked.executed.length, 7);
  t.equal(asked.executed.at(-1)?.graceMs, 0, "nor is there time to end slowly");
  await fake(sleeps, signal);
  t.match(asked.executed.at(-1), { timeoutMs: 10_000, graceMs: 5_000 });
});
