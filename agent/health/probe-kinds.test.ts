import t from "tap";
import { type FakeProgram, fakeIo } from "#core/fake-io.ts";
import type { Check } from "#generated/provisioner/spec/v1.ts";
import type { Witness } from "../facts/witness.ts";
import { hostProbe, type ProbeSources } from "./probe.ts";

const { signal } = new AbortController();
const witness: Witness = { v: 1, readings: {}, failures: [], missingTools: [], ms: 0 };

const sources = (readings: Witness["readings"]): ProbeSources => ({
  witness: async () => ({ ...witness, readings }),
  linkSettings: async () => undefined,
});

type FixtureFolder = NonNullable<Parameters<typeof t.testdir>[0]>;

interface Case {
  readonly check: Check;
  /** Files below /proc. */
  readonly proc?: FixtureFolder;
  readonly programs?: Readonly<Record<string, FakeProgram>>;
  readonly readings?: Witness["readings"];
  readonly passed: boolean;
  readonly message: string | RegExp;
}

const routeHead =
  "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n";
const routeIpv4 = `${routeHead}eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n`;
const routeLan = `${routeHead}eth0\t000200C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n`;
const routeRefused = `${routeHead}*\t00000000\t00000000\t0201\t0\t0\t100\t00000000\t0\t0\t0\n`;
const zeros = "0".repeat(32);
const routeIpv6 = (device: string, flags: string) =>
  `${zeros} 00 ${zeros} 00 fe80000000000000000000000000fe01 00000400 00000001 00000000 ${flags} ${device}\n`;
const pressure = (some: string) =>
  `some avg10=${some} avg60=0.00 avg300=0.00 total=1\nfull avg10=99.00 avg60=0.00 avg300=0.00 total=1\n`;
const meminfo = "MemTotal:       1000000 kB\nMemFree: 1 kB\nMemAvailable:     80000 kB\n";
const systemctl =
  (state: string, { jobs = "", failed = "" } = {}): FakeProgram =>
  ({ args }) => {
    if (args[0] === "list-jobs") return { stdout: jobs };
    if (args[0] === "list-units") return { stdout: failed };
    return { code: state === "running" ? 0 : 1, stdout: `${state}\n` };
  };
const ownJobs = "12 firstlight-boot.service start running\n13 cloud-init.target start waiting\n";

const cases: Readonly<Record<string, Case>> = {
  "a default route of IPv4": {
    check: { type: "route", family: "ipv4" },
    proc: { net: { route: routeIpv4 } },
    passed: true,
    message: "route: there is a default route of ipv4",
  },
  "a route to the neighbours is no default route": {
    check: { type: "route" },
    proc: { net: { route: routeLan } },
    passed: false,
    message: "route: no default route",
  },
  "a default route that refuses is none": {
    check: { type: "route" },
    proc: { net: { route: routeRefused, ipv6_route: routeIpv6("lo", "00200200") } },
    passed: false,
    message: "route: no default route",
  },
  "a default route of IPv6 counts where any will do": {
    check: { type: "route" },
    proc: { net: { route: routeLan, ipv6_route: routeIpv6("eth0", "00450003") } },
    passed: true,
    message: /there is a default route/,
  },
  "and not where IPv4 is asked for": {
    check: { type: "route", family: "ipv4" },
    proc: { net: { ipv6_route: routeIpv6("eth0", "00450003") } },
    passed: false,
    message: /no default route of ipv4/,
  },
  "a kernel without a network has no route": {
    check: { type: "route" },
    passed: false,
    message: /no default route/,
  },
  "room on a disk": {
    check: { type: "disk", path: "/", freeBytes: 1, freePercent: 0 },
    passed: true,
    message: /^disk \/: [0-9]+ bytes \([0-9.]+ %\) are free/,
  },
  "more room than there is": {
    check: { type: "disk", path: "/", freePercent: 100 },
    passed: false,
    message: /expected at least 100 %$/,
  },
  "a disk that is not there": {
    check: { type: "disk", path: "/data", freeBytes: 0 },
    passed: false,
    message: "disk /data: there is no such path",
  },
  "memory enough, and nobody waits for it": {
    check: { type: "memory", pressure: 5, availablePercent: 8 },
    proc: { meminfo, pressure: { memory: pressure("4.99") } },
    passed: true,
    message: "memory: as expected",
  },
  "too little of it, and processes wait": {
    check: { type: "memory", pressure: 5, availablePercent: 8.1 },
    proc: { meminfo, pressure: { memory: pressure("5.01") } },
    passed: false,
    message:
      "memory: 8.0 % are available, expected at least 8.1 %; " +
      "processes wait for it 5.01 % of the time, expected at most 5 %",
  },
  "a kernel that does not tell of pressure": {
    check: { type: "memory", pressure: 5 },
    passed: false,
    message: /no pressure stall information/,
  },
  "a kernel that does not tell of memory": {
    check: { type: "memory", availablePercent: 5 },
    passed: false,
    message: /does not say how much is available/,
  },
  "systemd is through": {
    check: { type: "systemd" },
    programs: { systemctl: systemctl("running") },
    passed: true,
    message: /^systemd: running/,
  },
  "a failed unit degrades it": {
    check: { type: "systemd" },
    programs: { systemctl: systemctl("degraded") },
    passed: false,
    message: "systemd: degraded, expected running",
  },
  "which can be let pass": {
    check: { type: "systemd", degraded: true },
    programs: { systemctl: systemctl("degraded") },
    passed: true,
    message: /degraded/,
  },
  "a boot that judges itself does not wait for itself": {
    check: { type: "systemd" },
    programs: { systemctl: systemctl("starting", { jobs: ownJobs }) },
    passed: true,
    message: /running/,
  },
  "but for the others": {
    check: { type: "systemd" },
    programs: {
      systemctl: systemctl("starting", { jobs: `${ownJobs}14 slow.service start running\n` }),
    },
    passed: false,
    message: "systemd: starting slow.service, expected running",
  },
  "and sees what failed": {
    check: { type: "systemd" },
    programs: {
      systemctl: systemctl("starting", { failed: "bad.service loaded failed failed x\n" }),
    },
    passed: false,
    message: "systemd: failed bad.service, expected running",
  },
  "a systemd that hangs": {
    check: { type: "systemd" },
    programs: { systemctl: () => ({ code: null, timedOut: true }) },
    passed: false,
    message: /systemctl did not end in time/,
  },
  "a clock that is right": {
    check: { type: "time" },
    programs: { timedatectl: () => ({ stdout: "yes\n" }) },
    passed: true,
    message: "time: the clock is synchronised",
  },
  "a clock that is on its own": {
    check: { type: "time" },
    programs: { timedatectl: () => ({ stdout: "no\n" }) },
    passed: false,
    message: "time: the clock is not synchronised",
  },
  "no program to ask for the clock": {
    check: { type: "time" },
    passed: false,
    message: /^time: .*timedatectl/,
  },
  "a name with an address": {
    check: { type: "dns", name: "cache.example.org" },
    programs: { getent: () => ({ stdout: "192.0.2.7      STREAM cache.example.org\n" }) },
    passed: true,
    message: "dns cache.example.org: 192.0.2.7",
  },
  "a name without": {
    check: { type: "dns", name: "cache.example.org" },
    programs: { getent: () => ({ code: 2 }) },
    passed: false,
    message: "dns cache.example.org: it has no address",
  },
  "a resolver that does not answer": {
    check: { type: "dns", name: "cache.example.org", timeout: "2s" },
    programs: { getent: ({ timeoutMs }) => ({ code: null, timedOut: timeoutMs === 2_000 }) },
    passed: false,
    message: "dns cache.example.org: no answer within 2000 ms",
  },
  "a cool processor": {
    check: { type: "temperature", celsius: 90 },
    readings: { temperature: { celsius: 61 } } as Witness["readings"],
    passed: true,
    message: "temperature: 61 °C, expected at most 90 °C",
  },
  "a hot one": {
    check: { type: "temperature", celsius: 60 },
    readings: { temperature: { celsius: 61 } } as Witness["readings"],
    passed: false,
    message: /61 °C, expected at most 60/,
  },
  "no sensor": {
    check: { type: "temperature", celsius: 60 },
    passed: false,
    message: "temperature: no sensor says it",
  },
  "no broker": {
    check: { type: "link" },
    passed: false,
    message: /^link: no broker is named; .*health\.keep/,
  },
};

for (const [
  name,
  { check, proc = {}, programs = {}, readings = {}, ...expected },
] of Object.entries(cases)) {
  t.test(`${check.type}: ${name}`, async (t) => {
    const io = fakeIo(t.testdir({ proc }), programs);
    t.match(await hostProbe(io, sources(readings))(check, signal), expected);
  });
}
