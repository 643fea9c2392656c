import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import t from "tap";
import { writeSpool } from "#agent/link/spool.ts";
import { readLedger } from "#agent/update/ledger.ts";
import { hostClock } from "#core/host-io.ts";
import { randomFrom } from "#core/random-from.ts";
import { brokerMissing, startBroker } from "../brokers.ts";
import type { Heard } from "../fleet-listener.ts";
import type { ChildOptions } from "../link-child.ts";
import { quickLimits, settingsFor, stages } from "../link-node.ts";
import { updateNode } from "./node.ts";

t.setTimeout(400_000);

const seed = Number(process.env["FIRSTLIGHT_SEED"] ?? 20_261_128);
const childScript = fileURLToPath(new URL("../link-child.ts", import.meta.url));
const [kills, events, updates] = [200, 1_000, 8];
const agentsOf = 0.3; // of all kills; a broker is back sooner

const isEvent = ({ topic }: Heard) => topic.includes("/event/");

t.test(
  `${kills} kills of agent and broker during ${events} events and ${updates} updates lose none and double none`,
  { skip: brokerMissing("mosquitto") },
  async (t) => {
    t.comment(`seed ${seed}`);
    const random = randomFrom(seed);
    const broker = await startBroker(t, "mosquitto");
    const node = await updateNode(t, broker, { listener: { waitMs: 120_000 } });
    const { fleet, io, signer } = node;
    await node.startRootSide();
    t.match(await node.boot(), { code: 0 });

    const options: ChildOptions = {
      ...{ root: node.root, mode: "daemon", submits: true },
      settings: settingsFor(broker, {
        ...{ address: signer.node, clientId: signer.node.node, acknowledge: "server" },
        limits: { ...quickLimits, resendAfterMs: 500, resendMostMs: 2_000 },
      }),
    };
    let agent: ChildProcess | undefined;
    t.teardown(() => void agent?.kill("SIGKILL"));
    const startAgent = () => {
      agent = spawn(process.execPath, [childScript, JSON.stringify(options)], { stdio: "ignore" });
    };
    const killAgent = async () => {
      if (agent === undefined || agent.exitCode !== null || agent.signalCode !== null) return false;
      const gone = once(agent, "exit");
      agent.kill("SIGKILL");
      await gone;
      return true;
    };

    // In place of systemd: whatever is assigned is worked on, once it is there.
    let wanted: string | undefined;
    let newest: Buffer | undefined;
    let isOver = false;
    const ids: string[] = [];
    const works = (async () => {
      for (let done: string | undefined; !isOver || done !== wanted; ) {
        const file = node.read("/var/lib/firstlight/update/assigned.json");
        const assigned = /"updateId": "(u-\d+)"/.exec(file ?? "")?.[1];
        if (assigned === undefined || assigned === done) {
          await hostClock.sleep(50);
          continue;
        }
        const run = await node.update();
        t.match(run, { code: 0, stdout: /SUCCEEDED/ }, run.stderr.slice(-500));
        done = assigned;
      }
    })();

    let [written, killedAgents, killedBrokers] = [0, 0, 0];
    startAgent();
    while (killedAgents + killedBrokers < kills) {
      const kill = killedAgents + killedBrokers;
      if (kill % Math.floor(kills / updates) === 0 && ids.length <= kill / (kills / updates)) {
        wanted = `u-${ids.length + 1}`;
        ids.push(wanted);
        newest = node.sign(wanted, { timezone: ids.length % 2 === 0 ? "UTC" : "Europe/Berlin" });
        const pushed = node.push(newest);
        // Every other one is worked on while all else is killed; the rest are killed on their way.
        if (ids.length % 2 === 1) await pushed.then(() => node.assigned(wanted ?? ""));
      }
      const share = Math.min(events - written, 1 + Math.floor(random() * 2 * (events / kills)));
      if (share > 0) writeSpool(io, stages(share, written + 1));
      written += share;
      await hostClock.sleep(random() * 120);
      if (random() < agentsOf) {
        if (!(await killAgent())) t.fail("the agent ended by itself");
        startAgent();
        killedAgents += 1;
        await hostClock.sleep(random() * 400); // at any place of its start, or after it
      } else {
        await broker.kill();
        await broker.start();
        killedBrokers += 1;
      }
    }
    if (written < events) writeSpool(io, stages(events - written, written + 1));
    if (newest !== undefined) await node.push(newest); // what the fleet answers a `get`
    isOver = true;
    await works;
    const last = wanted ?? "";
    await fleet.waitUntil("the end of the last update", (all) =>
      all.some(
        ({ topic, body }) =>
          topic.endsWith("/update.changed") &&
          body["updateId"] === last &&
          body["to"] === "SUCCEEDED",
      ),
    );
    const steps = (all: readonly Heard[]) =>
      new Set(
        all.filter(({ topic }) => topic.endsWith("/boot.stage")).map(({ body }) => body["stage"]),
      );
    await fleet.waitUntil("every event", (all) => {
      const heard = steps(all);
      return Array.from({ length: events }, (_, i) => `s${i + 1}`).every((name) => heard.has(name));
    });
    t.comment(`killed: agent ${killedAgents} times, broker ${killedBrokers} times`);

    const heard = fleet.heard.filter(isEvent);
    const byNumber = new Map<number, Set<unknown>>();
    for (const { envelope } of heard) {
      const found = byNumber.get(envelope.seq) ?? new Set();
      byNumber.set(envelope.seq, found.add(envelope["id"]));
    }
    t.same(
      [...byNumber.values()].filter((ofOne) => ofOne.size !== 1),
      [],
      "each number is one event's, however often it came",
    );
    const first = [...byNumber.keys()].sort((a, b) => a - b);
    t.same(
      first,
      Array.from(first, (_, i) => i + 1),
      "none is missing",
    );
    t.same(disorder(heard), [], "in order: who goes back begins no later than what is missing");
    t.equal(new Set(heard.map(({ envelope }) => envelope["id"])).size, first.length);
    t.equal(new Set(heard.map(({ envelope }) => envelope.stream)).size, 1, "one stream");
    t.notOk(heard.some(({ topic }) => topic.endsWith("/gap") || topic.endsWith("damaged")));

    // The ledger holds one update; what became of all of them is what the fleet heard, and the journal.
    const ends = new Map<unknown, Set<unknown>>();
    for (const { topic, envelope, body } of heard) {
      if (!topic.endsWith("/update.changed") || body["to"] !== "SUCCEEDED") continue;
      const found = ends.get(body["updateId"]) ?? new Set();
      ends.set(body["updateId"], found.add(envelope["id"]));
    }
    t.ok(
      [...ends.values()].every((ofOne) => ofOne.size === 1),
      "no update ended twice",
    );
    t.match(readLedger(io.files).update, { updateId: last, state: "SUCCEEDED" });
    const history = await node.firstlight("history");
    const committed = [...history.stdout.matchAll(/\{(u-\d+): /g)].map(([, id]) => id);
    t.ok(committed.length > 0, history.stdout);
    t.equal(new Set(committed).size, committed.length, "none was applied twice");
    t.comment(`updates applied: ${[...ends.keys()].join(" ")} of ${ids.join(" ")}`);
    t.ok(ends.size >= updates / 2, "what had come was worked on all the same");
  },
);

/**
 * Places where the order is not kept. A broker that was killed may have lost what it had acknowledged, and who listens
 * was away for a moment too: then a node begins again at what the fleet has not acknowledged, and goes up from there.
 */
function disorder(heard: readonly Heard[]): readonly string[] {
  const stored = new Set<number>();
  let [complete, before] = [0, 0];
  return heard.flatMap(({ envelope: { seq } }) => {
    const isWrong = seq < before && seq > complete + 1;
    const found = isWrong ? [`${seq} after ${before}, with ${complete} complete`] : [];
    before = seq;
    stored.add(seq);
    while (stored.has(complete + 1)) complete += 1;
    return found;
  });
}
