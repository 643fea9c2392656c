import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connector } from "#agent/link/client.ts";
import { defaultLimits, type LinkSettings } from "#agent/link/link-settings.ts";
import { hostIo } from "#core/host-io.ts";
import { silentLog } from "#core/log.ts";
import { type Broker, brokerMissing, makeCertificates, startBroker } from "#integration/brokers.ts";
import { qemuQ35 } from "#integration/machines/qemu-q35.ts";
import { writeMachine } from "#integration/machines/write-machine.ts";
import { median, ninth } from "./measure.ts";

/** What an idle process takes. */
export interface Idle {
  readonly rssMiB: number;
  /** Of one core, its children counted. */
  readonly cpuPercent: number;
}

/** The daemon at rest beside a bare Node.js, and the way there and back of one message. */
export interface LinkFigures {
  readonly seconds: number;
  readonly daemon: Idle;
  readonly bare: Idle;
  readonly rssRatio: number;
  /** QoS 1 from publish to PUBACK on loopback, without TLS and with it. */
  readonly roundTripMs: { readonly plain: number; readonly tls: number; readonly p90: number };
}

const bundle = path.join(import.meta.dirname, "../dist/firstlight.js");
const bareNode = "setInterval(() => {}, 1e9)";
/** What happens once, at the start, is not rest. */
const settleMs = 8_000;
/** Clock ticks a second of /proc/PID/stat; the same on every Linux that Node.js runs on. */
const ticks = 100;

/**
 * The daemon as it ships, on mosquitto over TLS with a certificate of its own, telling its health
 * every minute and systemd's watchdog (of whom there is none here: the notices are made, and get lost)
 * each 20 s. `undefined` where there is no mosquitto.
 */
export async function measureLink(seconds: number): Promise<LinkFigures | undefined> {
  if (brokerMissing("mosquitto") !== false) return undefined;
  const ends: (() => unknown)[] = [];
  const t = { teardown: (end: () => unknown) => void ends.unshift(end) };
  try {
    const tls = makeCertificates(t);
    const [secure, plain] = [
      await startBroker(t, "mosquitto", { tls }),
      await startBroker(t, "mosquitto"),
    ];
    const root = mkdtempSync(path.join(tmpdir(), "firstlight-bench-link-"));
    t.teardown(() => rmSync(root, { recursive: true, force: true }));
    const started = [
      startDaemon(root, secure, tls.authority),
      spawn(process.execPath, ["-e", bareNode]),
    ] as const;
    for (const each of started) t.teardown(() => each.kill("SIGKILL"));
    await delay(settleMs);
    const before = started.map(cpuSeconds);
    await delay(seconds * 1000);
    const [daemon, bare] = started.map((each, index) => ({
      rssMiB: rssMiB(each),
      cpuPercent: ((cpuSeconds(each) - (before[index] ?? 0)) / seconds) * 100,
    })) as [Idle, Idle];
    for (const each of started) each.kill("SIGKILL");
    const ca = readFileSync(tls.authority, "utf8");
    const [overPlain, overTls] = [
      await roundTrips(root, settingsFor(plain)),
      await roundTrips(root, { ...settingsFor(secure), tls: { ca } }),
    ];
    return {
      ...{ seconds, daemon, bare, rssRatio: daemon.rssMiB / bare.rssMiB },
      roundTripMs: { plain: median(overPlain), tls: median(overTls), p90: ninth(overTls) },
    };
  } finally {
    for (const end of ends) await end();
  }
}

/** One line for people. */
export function describeLink(found: LinkFigures | undefined): string {
  if (found === undefined) return "Without mosquitto nothing was measured of the link.";
  const { seconds, daemon, bare, rssRatio, roundTripMs } = found;
  return [
    `link, idle for ${seconds} s with TLS: ${daemon.rssMiB.toFixed(1)} MiB, ${rssRatio.toFixed(2)} times a bare node (${bare.rssMiB.toFixed(1)} MiB); ${daemon.cpuPercent.toFixed(2)} % of one core (bare ${bare.cpuPercent.toFixed(2)} %)`,
    `link, QoS 1 there and back: median ${roundTripMs.plain.toFixed(2)} ms, with TLS ${roundTripMs.tls.toFixed(2)} ms (p90 ${roundTripMs.p90.toFixed(2)} ms)`,
  ].join("\n");
}

function startDaemon(root: string, broker: Broker, authority: string): ChildProcess {
  writeMachine(root, qemuQ35);
  mkdirSync(path.join(root, "etc/firstlight"), { recursive: true });
  copyFileSync(authority, path.join(root, "etc/firstlight/ca.pem"));
  const mqtt = {
    host: broker.host,
    port: broker.port,
    tls: true,
    caFile: "/etc/firstlight/ca.pem",
  };
  const settings = { report: { node: "bench", mqtt } };
  writeFileSync(path.join(root, "etc/firstlight/settings.json"), JSON.stringify(settings));
  const env = {
    ...process.env,
    ...{ NOTIFY_SOCKET: path.join(root, "nobody"), WATCHDOG_USEC: "60000000" },
    MALLOC_ARENA_MAX: "1", // as its unit says (nixos/module.nix)
  };
  return spawn(process.execPath, [bundle, "agent", "--root", root], { env, stdio: "ignore" });
}

function settingsFor({ host, port }: Broker): LinkSettings {
  return {
    ...{ address: { fleet: "bench", node: "bench" }, host, port, clientId: "bench-trip" },
    ...{ acknowledge: "broker", healthIntervalMs: 60_000, limits: defaultLimits },
  };
}

async function roundTrips(root: string, settings: LinkSettings): Promise<readonly number[]> {
  const session = await connector(hostIo({ root }), silentLog, settings).connect({
    will: null,
    onMessage: async () => {},
  });
  const message = { topic: "bench", payload: "x".repeat(500), qos: 1, retained: false } as const;
  const times: number[] = [];
  for (let round = 0; round < 600; round++) {
    const startedMs = performance.now();
    await session.publish(message);
    if (round >= 100) times.push(performance.now() - startedMs);
  }
  await session.end();
  return times;
}

function rssMiB({ pid }: ChildProcess): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+([0-9]+) kB$/m.exec(status)?.[1]) / 1024;
}

function cpuSeconds({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  const [user, system, childUser, childSystem] = fields.slice(11, 15).map(Number);
  return ((user ?? 0) + (system ?? 0) + (childUser ?? 0) + (childSystem ?? 0)) / ticks;
}

// By itself: node bench/link.ts SECONDS
if (import.meta.main) console.log(describeLink(await measureLink(Number(process.argv[2] ?? 60))));
