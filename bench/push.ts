import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { connectAsync } from "mqtt";
import { connector } from "#agent/link/client.ts";
import { defaultLimits } from "#agent/link/link-settings.ts";
import { receive } from "#agent/update/receive.ts";
import { submitter } from "#cli/submit.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { hostIo } from "#core/host-io.ts";
import { silentLog } from "#core/log.ts";
import { brokerMissing, startBroker } from "#integration/brokers.ts";
import { nodeTopics } from "#protocol/topics.ts";
import { fakeFleet } from "#protocol/trust/fake-fleet.ts";
import { message } from "#protocol/trust/sign/message.ts";
import { courierDoor } from "#provisioner/system/sides/courier-door.ts";
import { listenAtDoors } from "#provisioner/system/sides/listen.ts";
import { serveSides } from "#provisioner/system/sides/serve.ts";
import { median, percentile } from "./measure.ts";

/** From the fleet's publishing to what is durable on the node, and the broker's own part of it. */
export interface PushFigures {
  /** Of the largest message. */
  readonly bytes: number;
  /** Milliseconds until the root side has stored the update, so that the broker gets its PUBACK. */
  readonly durable: { readonly medianMs: number; readonly p99Ms: number };
  /** The same bytes, from publish to another client of the same broker. */
  readonly raw: { readonly medianMs: number; readonly p99Ms: number };
}

const rootFile = "/etc/firstlight/root.json";

/**
 * One signed update after the other through a real broker, the link, the courier's door and the verifier to the disk,
 * and each message's bytes through the same broker alone, in turn. Both sides are in this process, where they share one
 * thread; how often the door may be asked is not limited. `undefined` where there is no mosquitto.
 */
export async function measurePush(rounds: number): Promise<PushFigures | undefined> {
  if (brokerMissing("mosquitto") !== false) return undefined;
  const ends: (() => unknown)[] = [];
  const t = { teardown: (end: () => unknown) => void ends.unshift(end) };
  try {
    const broker = await startBroker(t, "mosquitto");
    const root = mkdtempSync(path.join(tmpdir(), "firstlight-bench-push-"));
    t.teardown(() => rmSync(root, { recursive: true, force: true }));
    const fleet = fakeFleet({ nowMs: Date.now() });
    mkdirSync(path.join(root, "etc/firstlight"), { recursive: true });
    writeFileSync(path.join(root, rootFile), prettyJson(fleet.firstRoot));
    const io = hostIo({ root });
    const deps = { io, log: silentLog, node: fleet.node, rootFile };
    const door = courierDoor(
      () => {
        throw new Error("nobody asks for the system here");
      },
      (submission) => receive(submission, deps),
    );
    const { pace: _unlimited, ...limits } = door.limits;
    const servers = await listenAtDoors(io);
    servers.get("operator")?.close();
    const server = servers.get("courier");
    if (server === undefined) throw new Error("no courier's door");
    const stop = new AbortController();
    const served = serveSides({
      ...{ doors: [{ door: { ...door, limits }, server }], clock: io.clock, log: silentLog },
      ...{ idleMs: 3_600_000, signal: stop.signal },
    });
    t.teardown(() => {
      stop.abort();
      return served;
    });

    const { host, port } = broker;
    const topic = nodeTopics(fleet.node).of("desired");
    const submit = submitter(io);
    let arrived: (kind: string) => void = () => {};
    const session = await connector(io, silentLog, {
      ...{ address: fleet.node, host, port, clientId: fleet.node.node, acknowledge: "broker" },
      ...{ healthIntervalMs: 60_000, limits: defaultLimits },
    }).connect({
      will: null,
      onMessage: async (_topic, bytes) => arrived((await submit({ topic: "desired", bytes })).kind),
    });
    t.teardown(() => session.end());
    await session.subscribe([topic]);
    const [sender, other] = [
      await connectAsync({ host, port }),
      await connectAsync({ host, port }),
    ];
    for (const client of [sender, other]) t.teardown(() => client.endAsync(true));
    await other.subscribeAsync("raw", { qos: 1 });
    other.on("message", () => arrived("raw"));

    const times = { durable: [] as number[], raw: [] as number[] };
    let most = 0;
    const send = async (where: string, payload: Buffer, wanted: string): Promise<number> => {
      const came = new Promise<string>((resolve) => {
        arrived = resolve;
      });
      const startedMs = performance.now();
      sender.publish(where, payload, { qos: 1 });
      const kind = await came;
      if (kind !== wanted) throw new Error(`the root side answered ${kind}`);
      return performance.now() - startedMs;
    };
    for (let round = 0; round < rounds + 10; round++) {
      const payload = Buffer.from(message(fleet.publish()));
      most = Math.max(most, payload.length);
      const [raw, durable] = [
        await send("raw", payload, "raw"),
        await send(topic, payload, "assigned"),
      ];
      if (round < 10) continue; // what is compiled first
      times.raw.push(raw);
      times.durable.push(durable);
    }
    const figures = (of: readonly number[]) => ({
      medianMs: median(of),
      p99Ms: percentile(of, 99),
    });
    return { bytes: most, durable: figures(times.durable), raw: figures(times.raw) };
  } finally {
    for (const end of ends) await end();
  }
}

/** One line for people. */
export function describePush(found: PushFigures | undefined): string {
  if (found === undefined) return "Without mosquitto nothing was measured of an update's way.";
  const { bytes, durable, raw } = found;
  const say = ({ medianMs, p99Ms }: PushFigures["raw"]) =>
    `median ${medianMs.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`;
  return `an update of ${bytes} bytes, from push to durable: ${say(durable)}; the same bytes through the broker alone: ${say(raw)}`;
}

// By itself: node bench/push.ts ROUNDS
if (import.meta.main) console.log(describePush(await measurePush(Number(process.argv[2] ?? 300))));
