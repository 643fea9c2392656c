import { statfs } from "node:fs/promises";
import { canonicalJson, sha256 } from "#core/canonical-json.ts";
import type { FaultRecord } from "#core/fault.ts";
import type { Files, Io } from "#core/io.ts";
import type { About } from "#generated/protocol/messages/about.ts";
import type { Health } from "#generated/protocol/messages/health.ts";
import type { Reported } from "#generated/protocol/messages/reported.ts";
import type { LastTrial, SystemStatus } from "#provisioner/system/system.ts";
import { isPublicKeyLine } from "#provisioner/userdata/public-key-line.ts";
import { readFacts } from "./facts/read-facts.ts";
import type { Witness } from "./facts/witness.ts";
import { readInstanceData } from "./instance-data.ts";
import { endedSince } from "./last-end.ts";
import type { StateReaders } from "./link/link-session.ts";
import type { Outcome } from "./outcome.ts";
import { platformName } from "./platform-name.ts";
import { tellsHostKeys } from "./report-settings.ts";
import { readResult } from "./status.ts";
import { readUpdateState } from "./update/read-state.ts";
import { readTrustedVersions } from "./update/trusted-versions.ts";

/** How often systeminformation is asked at most: it costs processes. */
const witnessIntervalMs = 5 * 60_000;

/** What the readers are made from. */
export interface StateReaderOptions {
  readonly io: Io;
  readonly version: string;
  readonly healthIntervalMs: number;
  /** Asks systeminformation in a process of its own. */
  readonly witness: () => Promise<Witness>;
  /** Asks the root side what runs now; `undefined` where it cannot be asked. */
  readonly askStatus?: () => Promise<SystemStatus | undefined>;
  /** The fleet's root metadata that the settings name. */
  readonly rootFile?: string;
}

/** Reads what a node tells of itself: from the kernel's files, what the boot left, and the second witness. */
export function stateReaders(options: StateReaderOptions): StateReaders {
  const { io } = options;
  let sampled: { readonly at: number; readonly witness: Witness } | undefined;
  return {
    about: async () => about(options),
    trusted: async () => readTrustedVersions(io.files, options.rootFile),
    reported: async () => reported(io.files, await options.askStatus?.()),
    update: async () => readUpdateState(io.files),
    async health() {
      if (sampled === undefined || io.clock.monotonicMs() - sampled.at > witnessIntervalMs) {
        sampled = { at: io.clock.monotonicMs(), witness: await options.witness() };
      }
      return {
        ...(await kernelHealth(io)),
        ...witnessHealth(sampled.witness),
        intervalSeconds: Math.round(options.healthIntervalMs / 1000),
      };
    },
  };
}

function about(options: StateReaderOptions): About {
  const { io, version, rootFile } = options;
  const believed = readTrustedVersions(io.files, rootFile);
  const data = readInstanceData(io.files) as
    | {
        readonly v1?: { readonly instance_id?: string; readonly local_hostname?: string | null };
        readonly datasource?: { readonly name?: string };
      }
    | undefined;
  const result = readResult(io.files);
  const hostname =
    io.files.readText("/proc/sys/kernel/hostname")?.trim() || data?.v1?.local_hostname || undefined;
  const name = data?.datasource?.name;
  const instanceId = data?.v1?.instance_id;
  return {
    agent: version,
    platform: platformName(),
    ...(hostname === undefined ? {} : { hostname }),
    ...(name === undefined || instanceId === undefined ? {} : { datasource: { name, instanceId } }),
    ...(result?.profile == null
      ? {}
      : { profile: { id: result.profile, confidence: result.confidence ?? "none" } }),
    factsDigest: sha256(canonicalJson(readFacts(io))),
    ...(tellsHostKeys(io.files) ? { hostKeys: readHostKeys(io.files) } : {}),
    ...(believed === undefined ? {} : { trusted: believed }),
    capabilities: ["boot", "report", ...(believed === undefined ? [] : ["desired", "cmd"])],
  };
}

const hostKeyKinds = ["ed25519", "ecdsa", "rsa"];

/** Type and key of each; what follows names who made it. */
function readHostKeys(files: Files): string[] {
  return hostKeyKinds.flatMap((kind) => {
    const text = files.readText(`/etc/ssh/ssh_host_${kind}_key.pub`, { maxBytes: 16 * 1024 }) ?? "";
    const [type, key] = text.trim().split(/\s+/);
    return type === undefined || key === undefined || !isPublicKeyLine(`${type} ${key}`)
      ? []
      : [`${type} ${key}`];
  });
}

/**
 * How the last boot or change ended, by the journal where that knows more, and what runs: by the root
 * side's word, which knows of a switch by hand.
 */
function reported(files: Files, now: SystemStatus | undefined): Reported | undefined {
  const result = readResult(files);
  const since = endedSince(result, now);
  const last = since === undefined ? lastOf(result) : lastOfTrial(since);
  if (last === undefined) return undefined;
  const toplevel = (now === undefined ? result?.toplevel : now.running) ?? null;
  const generation = (now === undefined ? result?.generation : generationOf(now)) ?? null;
  const sourcesDigest = [since, result].find((one) => one?.toplevel === toplevel)?.sourcesDigest;
  return {
    ...(generation === null ? {} : { generation }),
    ...(toplevel === null ? {} : { toplevel }),
    ...(toplevel === null || sourcesDigest == null ? {} : { sourcesDigest }),
    last,
  };
}

type Last = NonNullable<Reported["last"]>;

function lastOf(result: Outcome | undefined): Last | undefined {
  if (result === undefined) return undefined;
  const { outcome, finishedAt: at, fault, lastTrial } = result;
  const isOfTrial = outcome === "committed" || outcome === "rolled-back";
  return {
    outcome,
    at,
    ...(isOfTrial && lastTrial != null ? { transaction: lastTrial } : {}),
    ...(fault === null ? {} : { fault: faultOf(fault) }),
  };
}

function lastOfTrial({ result: outcome, at, transaction }: LastTrial): Last {
  return { outcome, at, transaction };
}

function faultOf({ code, message, hint }: FaultRecord): NonNullable<Last["fault"]> {
  return { code, message, ...(hint === null ? {} : { hint }) };
}

/** Of what runs, where it is the boot default. */
function generationOf({ running, bootDefault }: SystemStatus): number | null {
  return running === bootDefault.toplevel ? bootDefault.generation : null;
}

async function kernelHealth({ files }: Io): Promise<Health> {
  const uptime = Number.parseFloat(files.readText("/proc/uptime") ?? "");
  const load1 = Number.parseFloat(files.readText("/proc/loadavg") ?? "");
  const memory = files.readText("/proc/meminfo") ?? "";
  const bytes = (key: string) =>
    Number(new RegExp(`^${key}:\\s+([0-9]+) kB`, "m").exec(memory)?.[1]) * 1024;
  const [totalBytes, availableBytes] = [bytes("MemTotal"), bytes("MemAvailable")];
  const disk = await statfs(files.hostPath("/")).catch(() => undefined);
  return {
    ...(Number.isFinite(uptime) ? { uptimeSeconds: Math.round(uptime) } : {}),
    ...(Number.isFinite(load1) ? { load1 } : {}),
    ...(Number.isFinite(totalBytes) && Number.isFinite(availableBytes)
      ? { memory: { totalBytes, availableBytes } }
      : {}),
    ...(disk === undefined
      ? {}
      : {
          disks: [
            {
              mount: "/",
              totalBytes: disk.blocks * disk.bsize,
              freeBytes: disk.bavail * disk.bsize,
            },
          ],
        }),
  };
}

/** What the kernel's files do not say in one reading. */
function witnessHealth({ readings }: Witness): Health {
  const { load, temperature, battery } = readings;
  return {
    ...(load?.percent == null ? {} : { cpuPercent: Math.round(load.percent * 10) / 10 }),
    ...(temperature?.celsius == null ? {} : { temperatureCelsius: temperature.celsius }),
    ...(battery?.present !== true || battery.percent === null
      ? {}
      : { battery: { percent: battery.percent, charging: battery.charging ?? false } }),
  };
}
