import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import net from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import { runDaemon } from "#agent/daemon.ts";
import { connector } from "#agent/link/client.ts";
import { defaultLimits, type LinkSettings } from "#agent/link/link-settings.ts";
import type { Outbox } from "#agent/link/outbox.ts";
import { writeSpool } from "#agent/link/spool.ts";
import { createWake, watchOutbox } from "#agent/link/wake.ts";
import { reportOnce } from "#agent/report-once.ts";
import type { Schedule } from "#agent/schedule.ts";
import { readUpdateState } from "#agent/update/read-state.ts";
import { openTracker } from "#agent/update/tracker.ts";
import { createLog, silentLog } from "#core/log.ts";
import { Secret } from "#core/secret.ts";
import { brokerKinds, brokerMissing, freePort, makeCertificates, startBroker } from "./brokers.ts";
import { ackMessage, type FleetListener, type Heard, listen } from "./fleet-listener.ts";
import type { ChildOptions } from "./link-child.ts";
import {
  connect,
  daemon,
  handSchedule,
  makeNode,
  type Node,
  noWill,
  quickLimits,
  readers,
  settingsFor,
  stages,
  topics,
} from "./link-node.ts";

const childScript = fileURLToPath(new URL("link-child.ts", import.meta.url));

/** Waits until the node's outbox, which its daemon writes to, is so. */
async function untilOutbox(t: Test, { io, outbox }: Node, done: (outbox: Outbox) => boolean) {
  const wake = createWake();
  t.teardown(watchOutbox(io, wake.call));
  while (!done(outbox)) await wake.next();
}

/** A schedule that runs everything ten times a second, as node-cron would at its own pace. */
function quickSchedule(t: Test): Schedule {
  return {
    every(_recurring, task) {
      const timer = setInterval(() => void task().catch(() => {}), 100);
      t.teardown(() => clearInterval(timer));
      return () => clearInterval(timer);
    },
  };
}

function child(t: Test, options: ChildOptions): ChildProcess {
  const process_ = spawn(process.execPath, [childScript, JSON.stringify(options)], {
    stdio: ["ignore", "pipe", process.env["LINK_TEST_LOG"] === undefined ? "ignore" : "inherit"],
  });
  t.teardown(() => void process_.kill("SIGKILL"));
  return process_;
}

async function sigkill(process_: ChildProcess): Promise<void> {
  if (process_.exitCode !== null || process_.signalCode !== null) return;
  const exit = once(process_, "exit");
  process_.kill("SIGKILL");
  await exit;
}

const onTopic = (name: Parameters<typeof topics.of>[0]) => (heard: Heard) =>
  heard.topic === topics.of(name);
const isGeneration = (generation: number) => (heard: Heard) =>
  onTopic("reported")(heard) && heard.body["generation"] === generation;
const isStatus = (online: boolean) => (heard: Heard) =>
  onTopic("status")(heard) && heard.body["online"] === online;
const isEvent = (seq: number) => (heard: Heard) =>
  heard.topic.includes("/event/") && heard.envelope.seq === seq;

const eventSeqs = (all: readonly Heard[]) =>
  new Set(all.filter(({ topic }) => topic.includes("/event/")).map(({ envelope }) => envelope.seq));

/** Every number is there, and the first arrivals are in order. */
function assertComplete(t: Test, fleet: FleetListener, count: number): void {
  t.same(
    [...new Set(fleet.seqs())],
    Array.from({ length: count }, (_, i) => i + 1),
    `all ${count} arrived, in order`,
  );
}

t.setTimeout(180_000);

for (const kind of brokerKinds) {
  t.test(kind, { timeout: 90_000, skip: brokerMissing(kind) }, async (t) => {
    t.test("what root leaves in its spool is sent, before the daemon came and after", async (t) => {
      const broker = await startBroker(t, kind);
      const fleet = await listen(t, broker);
      const node = await makeNode(t);
      writeSpool(node.io, stages(2));
      let generation = 1;
      const readersOf = { ...readers, reported: async () => ({ generation }) };
      const stop = daemon(t, node, settingsFor(broker), { readers: readersOf });
      await fleet.wait("event 2", isEvent(2));

      generation = 2;
      writeSpool(node.io, stages(1, 3));
      await fleet.wait("an event that root wrote meanwhile", isEvent(3));
      t.match((await fleet.wait("reported", isGeneration(2))).body, { generation: 2 });
      assertComplete(t, fleet, 3);
      await stop();
    });

    t.test("where the update stands is told at once, with each of its changes", async (t) => {
      const broker = await startBroker(t, kind);
      const fleet = await listen(t, broker);
      const node = await makeNode(t);
      const { files } = node.io;
      const own = { ...readers, update: async () => readUpdateState(files) };
      const stop = daemon(t, node, settingsFor(broker), { readers: own });
      await fleet.wait("the birth", isStatus(true));
      const processes = { self: () => ({ pid: 1, started: "1" }), isAlive: () => false };
      const tracker = openTracker(node.io, silentLog, processes);
      const release = { path: "release/a", name: "a", number: 3, sha256: "0".repeat(64) };
      tracker.happen({ name: "received", update: { updateId: "u-1", release } });
      tracker.happen({ name: "verify" });
      const isTold = (state: string) => (heard: Heard) =>
        onTopic("update")(heard) && heard.body["state"] === state;
      t.match((await fleet.wait("VERIFYING", isTold("VERIFYING"))).body, {
        ...{ updateId: "u-1", release: "a", number: 3, seq: 2, attempt: 0 },
      });
      const isChange = (seq: number) => (heard: Heard) =>
        heard.topic === topics.with("event", "update.changed") && heard.body["seq"] === seq;
      t.match((await fleet.wait("the first change", isChange(1))).body, { to: "RECEIVED" });
      t.match((await fleet.wait("the second change", isChange(2))).body, { from: "RECEIVED" });
      await stop();
    });

    t.test(
      "a daemon tells of its node, sends what waits and what comes, and says farewell",
      async (t) => {
        const broker = await startBroker(t, kind);
        const fleet = await listen(t, broker);
        const node = await makeNode(t);
        node.outbox.append(...stages(40));
        const schedule = handSchedule();
        let generation = 1;
        const stop = daemon(t, node, settingsFor(broker), {
          schedule,
          readers: { ...readers, reported: async () => ({ generation }) },
        });

        const birth = await fleet.wait("the birth", isStatus(true));
        t.match(birth.body, { session: 1, reason: "connected" });
        t.match((await fleet.wait("get", onTopic("get"))).body, {
          stream: node.outbox.stream(),
          acknowledged: 0,
        });
        t.match((await fleet.wait("about", onTopic("about"))).body, { agent: "0.1.0" });
        t.match((await fleet.wait("reported", onTopic("reported"))).body, { generation: 1 });
        const health = await fleet.wait("health", onTopic("health"));
        t.type(health.envelope["expiresAt"], "string");
        await fleet.wait("event 40", isEvent(40));
        assertComplete(t, fleet, 40);

        generation = 2;
        node.outbox.append(...stages(1, 41));
        await fleet.wait("an event that another process wrote", isEvent(41));
        await fleet.wait(
          "generation 2",
          (heard) => onTopic("reported")(heard) && heard.body["generation"] === 2,
        );
        await schedule.run("health");
        await fleet.waitUntil(
          "a second health",
          (all) => all.filter(onTopic("health")).length === 2,
        );

        await stop();
        t.match((await fleet.wait("the farewell", isStatus(false))).body, {
          session: 1,
          reason: "stopped",
        });
        t.equal(node.outbox.size().events, 0, "the broker's PUBACK is enough");
        const later = await listen(t, broker);
        t.match((await later.wait("what is kept", isStatus(false))).retained, true);
        t.match((await later.wait("what is kept", onTopic("about"))).retained, true);
        t.equal(later.seqs().length, 0, "events are not kept");
      },
    );

    t.test(
      "a node that is killed is told of by its last will, on the topic of its birth",
      async (t) => {
        const broker = await startBroker(t, kind);
        const fleet = await listen(t, broker);
        const { io } = await makeNode(t);
        const process_ = child(t, {
          root: io.files.root,
          settings: settingsFor(broker),
          mode: "daemon",
        });
        await fleet.wait("the birth", isStatus(true));
        await sigkill(process_);
        t.match((await fleet.wait("the will", isStatus(false))).body, {
          session: 1,
          reason: "lost",
        });
        const later = await listen(t, broker);
        const kept = await later.wait("the kept will", onTopic("status"));
        t.match(kept, {
          retained: true,
          envelope: { seq: 0 },
          body: { online: false, reason: "lost" },
        });
      },
    );

    t.test(
      "a sender killed in the middle: after its restart every event has come, in order",
      async (t) => {
        const broker = await startBroker(t, kind);
        const fleet = await listen(t, broker);
        const node = await makeNode(t);
        const options = {
          root: node.io.files.root,
          settings: settingsFor(broker),
          mode: "daemon",
        } as const;
        node.outbox.append(...stages(600));
        for (const middle of [30, 200]) {
          const process_ = child(t, options);
          await fleet.wait(`event ${middle}`, isEvent(middle));
          await sigkill(process_);
        }
        t.ok(node.outbox.size().events > 0, "it was killed in the middle");
        child(t, options);
        await fleet.wait("the last event", isEvent(600));
        assertComplete(t, fleet, 600);
      },
    );

    t.test("a broker killed in the middle: with the server's acks nothing is lost", async (t) => {
      const broker = await startBroker(t, kind);
      const fleet = await listen(t, broker);
      fleet.acknowledge();
      const node = await makeNode(t);
      node.outbox.append(...stages(600));
      const limits = { ...quickLimits, resendAfterMs: 200 };
      daemon(t, node, settingsFor(broker, { acknowledge: "server", limits }), {
        schedule: quickSchedule(t),
      });
      for (const middle of [20, 300]) {
        await fleet.wait(`event ${middle}`, isEvent(middle));
        await broker.kill();
        await broker.start();
      }
      await fleet.waitUntil("every event", (all) => eventSeqs(all).size === 600);
      t.equal(Math.max(...fleet.seqs()), 600);
    });

    t.test("a broker that is away for a while gets everything when it comes", async (t) => {
      const broker = await startBroker(t, kind);
      await broker.kill();
      const node = await makeNode(t);
      node.outbox.append(...stages(5));
      let failures = 0;
      const stop = await new Promise<() => Promise<void>>((resolve) => {
        const log = createLog(node.io.clock, ({ event }) => {
          if (event === "link.down") failures += 1;
          if (failures === 3) resolve(stopped);
        });
        const stopped = daemon(t, { ...node, log }, settingsFor(broker));
      });
      t.equal(node.outbox.size().events, 5, "meanwhile they wait");
      await broker.start();
      const fleet = await listen(t, broker);
      await fleet.wait("the node", isStatus(true));
      await stop();
      t.equal(node.outbox.size().events, 0, "the broker has them");
    });

    t.test("events wait for the server's ack, and come again from the last one", async (t) => {
      const broker = await startBroker(t, kind);
      const fleet = await listen(t, broker);
      const node = await makeNode(t);
      const stream = node.outbox.stream();
      const settings = settingsFor(broker, { acknowledge: "server" });
      node.outbox.append(...stages(10));
      const stop = daemon(t, node, settings);
      await fleet.wait("event 10", isEvent(10));
      t.equal(node.outbox.size().events, 10, "PUBACK is not enough");
      for (const bad of [
        "",
        "{}",
        ackMessage(stream, -1),
        ackMessage(stream, 11),
        "[".repeat(50_000),
        ackMessage("6f1d7c1e-2f5a-4a57-8a53-0d1b6e9d2c44", 10),
      ]) {
        await fleet.publish(topics.of("ack"), bad);
      }
      await fleet.publish(topics.of("ack"), ackMessage(stream, 4));
      await untilOutbox(t, node, (outbox) => outbox.acknowledged() > 0);
      await stop();
      t.equal(node.outbox.acknowledged(), 4, "only the good ack counts");
      t.equal(
        node.records.filter(({ event }) => event === "link.message.refused").length,
        5,
        "the bad ones are named in the log",
      );

      const again = await listen(t, broker);
      daemon(t, node, settings);
      await again.wait("event 10 again", isEvent(10));
      t.same(again.seqs(), [5, 6, 7, 8, 9, 10]);
      t.equal((await again.wait("the get", onTopic("get"))).body["acknowledged"], 4);
    });

    t.test("a message whose work failed, or whose reader died, comes again", async (t) => {
      const broker = await startBroker(t, kind);
      const fleet = await listen(t, broker);
      const node = await makeNode(t);
      const settings = settingsFor(broker);
      const process_ = child(t, { root: node.io.files.root, settings, mode: "die-at-message" });
      await once(createInterface({ input: process_.stdout as NodeJS.ReadableStream }), "line");
      const died = once(process_, "exit");
      await fleet.publish(topics.of("desired"), "job");
      t.equal((await died)[1], "SIGKILL", "it died before its work was durable");

      const failing = await connect(t, node, settings, {
        onMessage: async () => {
          throw new Error("the disk is full");
        },
      });
      await aborted(failing.gone);
      t.match(failing.gone.reason, { code: "link/lost" });
      const taken = await new Promise<string>((resolve, reject) => {
        const onMessage = async (_topic: string, payload: Uint8Array) =>
          resolve(Buffer.from(payload).toString());
        connect(t, node, settings, { onMessage }).catch(reject);
      });
      t.equal(taken, "job");
    });

    t.test("a giant desired state is refused, and the next message is taken", async (t) => {
      const broker = await startBroker(t, kind);
      const fleet = await listen(t, broker);
      const node = await makeNode(t);
      await fleet.publish(topics.of("desired"), Buffer.alloc(1_000_000, "x"), true);
      const sizes: number[] = [];
      const small = new Promise<void>((resolve, reject) => {
        const onMessage = async (_topic: string, { length }: Uint8Array) => {
          sizes.push(length);
          if (length === 5) resolve();
        };
        connect(t, node, settingsFor(broker), { onMessage })
          .then(async (session) => {
            await session.subscribe([topics.of("desired")]);
            await fleet.publish(topics.of("desired"), "small");
          })
          .catch(reject);
      });
      await small;
      t.same(sizes, [5]);
    });

    t.test(
      "MQTT 5 where the broker speaks it, else 3.1.1, without a failed attempt in between",
      async (t) => {
        const broker = await startBroker(t, kind);
        const node = await makeNode(t);
        const link = connector(node.io, node.log, settingsFor(broker));
        for (const attempt of [1, 2]) {
          const session = await link.connect({ will: noWill, onMessage: async () => {} });
          t.equal(session.version, kind === "aedes" ? 4 : 5, `connection ${attempt}`);
          await session.end();
        }
        const refusals = node.records.filter(
          ({ event }) => event === "link.version.refused",
        ).length;
        t.equal(refusals, kind === "aedes" ? 1 : 0, "the version is remembered");
      },
    );

    t.test("no connection waits with small packets", async (t) => {
      const broker = await startBroker(t, kind);
      const node = await makeNode(t);
      const settings = settingsFor(broker);
      const { setNoDelay } = net.Socket.prototype;
      const set: { readonly port: number | undefined; readonly noDelay: boolean | undefined }[] =
        [];
      t.teardown(() => {
        net.Socket.prototype.setNoDelay = setNoDelay;
      });
      net.Socket.prototype.setNoDelay = function (noDelay) {
        set.push({ port: this.remotePort, noDelay });
        return setNoDelay.call(this, noDelay);
      };
      const link = connector(node.io, node.log, settings);
      for (const attempt of [1, 2]) {
        set.length = 0;
        const session = await link.connect({ will: noWill, onMessage: async () => {} });
        t.match(
          set.at(-1),
          { port: broker.port, noDelay: true },
          `connection ${attempt}, on the connected socket`,
        );
        await session.end();
      }
    });

    t.test("TLS and passwords: the right ones are taken, wrong ones are named", async (t) => {
      const [tls, foreign] = [makeCertificates(t), makeCertificates(t)];
      const broker = await startBroker(t, kind, { tls, users: { "edge-17": "correct horse" } });
      const node = await makeNode(t);
      const [ca, foreignCa] = [
        readFileSync(tls.authority, "utf8"),
        readFileSync(foreign.authority, "utf8"),
      ];
      const right = { tls: { ca }, username: "edge-17", password: new Secret("correct horse") };
      const session = await connect(t, node, settingsFor(broker, right));
      await session.publish({ topic: topics.of("get"), payload: "{}", qos: 1, retained: false });
      const cases: readonly (readonly [string, Partial<LinkSettings>, string])[] = [
        ["a wrong password", { password: new Secret("wrong") }, "link/refused"],
        ["a wrong user", { username: "nobody" }, "link/refused"],
        ["another authority", { tls: { ca: foreignCa } }, "link/untrusted"],
        ["the system's authorities", { tls: {} }, "link/untrusted"],
        ["another name", { tls: { ca, serverName: "mqtt.example.org" } }, "link/untrusted"],
      ];
      for (const [name, wrong, code] of cases) {
        const fault = await connect(t, node, settingsFor(broker, { ...right, ...wrong })).catch(
          (error: unknown) => error,
        );
        t.match(fault, { code, message: /127\.0\.0\.1:\d+: / }, name);
        t.notMatch(JSON.stringify(fault), /correct horse|wrong"/, "no password in it");
      }
      const { host: _host, ...named } = settingsFor(broker, right);
      t.equal(
        (await connect(t, node, { ...named, host: "localhost" })).gone.aborted,
        false,
        "by name as well as by address",
      );
      const plain = await connect(
        t,
        node,
        settingsFor(broker, { limits: { ...defaultLimits, connectTimeoutMs: 3_000 } }),
      ).catch((error: unknown) => error);
      t.match(plain, { code: /^link\/(unreachable|timeout)$/ }, "without TLS there is no answer");
    });

    t.test("a single report sends everything and leaves", async (t) => {
      const broker = await startBroker(t, kind);
      const fleet = await listen(t, broker);
      const node = await makeNode(t);
      node.outbox.append(...stages(40));
      const once_ = { io: node.io, log: node.log, readers, timeoutMs: 15_000 };
      t.same(await reportOnce({ ...once_, settings: settingsFor(broker) }), {
        by: "this",
        left: 0,
      });
      await fleet.wait(
        "the farewell",
        (heard) => isStatus(false)(heard) && heard.body["reason"] === "reported",
      );
      assertComplete(t, fleet, 40);

      fleet.acknowledge();
      node.outbox.append(...stages(7, 41));
      const slow = settingsFor(broker, {
        acknowledge: "server",
        limits: { ...quickLimits, serverWindow: 2 },
      });
      t.same(await reportOnce({ ...once_, settings: slow }), { by: "this", left: 0 });
      assertComplete(t, fleet, 47);
    });

    t.test("a single report beside a daemon leaves the sending to it", async (t) => {
      const broker = await startBroker(t, kind);
      const fleet = await listen(t, broker);
      const node = await makeNode(t);
      const settings = settingsFor(broker);
      daemon(t, node, settings);
      await fleet.wait("the birth", isStatus(true));
      node.outbox.append(...stages(10));
      t.same(await reportOnce({ ...node, settings, readers, timeoutMs: 15_000 }), {
        by: "daemon",
        left: 0,
      });
      await fleet.wait("event 10", isEvent(10));
      t.equal(
        fleet.heard.filter(onTopic("status")).length,
        1,
        "the daemon's presence is left alone",
      );
      const { io, log } = node;
      const second = runDaemon({
        io,
        log,
        settings,
        readers,
        schedule: handSchedule(),
        isCurrent: () => true,
        signal: new AbortController().signal,
      });
      await t.rejects(second, { code: "link/busy" });
    });
  });
}

t.test("what a change tells is for where the node reports after it", async (t) => {
  const [trial, place] = [await startBroker(t, "aedes"), await startBroker(t, "aedes")];
  const [there, here] = [await listen(t, trial), await listen(t, place)];
  const node = await makeNode(t);
  let onTrial = true;
  const { io, log } = node;
  const end = runDaemon({
    ...{ io, log, readers, schedule: handSchedule(), settings: settingsFor(trial) },
    isCurrent: () => onTrial,
    signal: new AbortController().signal,
  });
  await there.wait("the daemon", isStatus(true));
  onTrial = false;
  writeSpool(io, stages(1));
  await end;
  await there.wait("a farewell", isStatus(false));
  daemon(t, node, settingsFor(place));
  await here.wait("the event", isEvent(1));
  t.same(there.seqs(), []);
});

t.test("with nobody to report to, the report says so and the events stay", async (t) => {
  const node = await makeNode(t);
  node.outbox.append(...stages(3));
  const settings = settingsFor({ host: "127.0.0.1", port: await freePort() });
  const report = reportOnce({ ...node, settings, readers, timeoutMs: 2_000 });
  await t.rejects(report, { code: "link/unreachable", message: /ECONNREFUSED.*gave up/ });
  t.equal(node.outbox.size().events, 3);
});

t.test("a peer that is no broker is given up on", async (t) => {
  const talk: readonly (readonly [string, (socket: net.Socket) => void, string])[] = [
    ["says nothing", () => {}, "link/timeout"],
    ["speaks HTTP", (socket) => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"), "link/"],
    ["closes at once", (socket) => socket.end(), "link/unreachable"],
    [
      "announces 200 MB",
      (socket) => socket.write(Buffer.from([0x30, 0x80, 0x80, 0x80, 0x64])),
      "link/message-refused",
    ],
  ];
  for (const [name, greet, code] of talk) {
    await t.test(name, async (t) => {
      const sockets = new Set<net.Socket>();
      const server = net.createServer((socket) => {
        sockets.add(socket.on("error", () => {}));
        greet(socket);
      });
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      t.teardown(() => {
        for (const socket of sockets) socket.destroy();
        server.close();
      });
      const { port } = server.address() as net.AddressInfo;
      const limits = { ...defaultLimits, connectTimeoutMs: 300 };
      const node = await makeNode(t);
      const fault = await connect(
        t,
        node,
        settingsFor({ host: "127.0.0.1", port }, { limits }),
      ).catch((error: unknown) => error);
      t.match(fault, { code: new RegExp(`^${code}`) });
    });
  }
});

t.test("whoever waits for a connection can be called off", async (t) => {
  const server = net.createServer(() => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => void server.close());
  const { port } = server.address() as net.AddressInfo;
  const node = await makeNode(t);
  const stop = new AbortController();
  server.once("connection", () => stop.abort(new Error("called off")));
  await t.rejects(
    connect(t, node, settingsFor({ host: "127.0.0.1", port }), { signal: stop.signal }),
    /called off/,
  );
});

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}
