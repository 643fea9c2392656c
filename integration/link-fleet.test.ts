import { once } from "node:events";
import net from "node:net";
import t, { type Test } from "tap";
import type { Submit, SubmitAnswer } from "#agent/link/reception.ts";
import { stateReaders } from "#agent/state-readers.ts";
import { fakeReceiver } from "#agent/update/fake-receiver.ts";
import { hostClock } from "#core/host-io.ts";
import type { Clock } from "#core/io.ts";
import { fakeFleet } from "#protocol/trust/fake-fleet.ts";
import { message } from "#protocol/trust/sign/message.ts";
import {
  type Broker,
  brokerKinds,
  brokerMissing,
  freePort,
  startBroker,
  temporaryDirectory,
} from "./brokers.ts";
import { type Heard, listen } from "./fleet-listener.ts";
import {
  address,
  daemon,
  handSchedule,
  makeNode,
  type Node,
  quickLimits,
  readers,
  settingsFor,
  stages,
  topics,
} from "./link-node.ts";

t.setTimeout(60_000);

const id = "0b5c0f0e-6c0b-4c3a-9d0e-3f3f6a1f2b11";
const command = JSON.stringify({ v: 1, id, at: "2026-01-31T12:00:00.000Z", body: {} });
const trusted = { root: 2, timestamp: 41, snapshot: 41, targets: 7, director: 40 };
const onTopic = (topic: string) => (heard: Heard) => heard.topic === topic;
const births = (all: readonly Heard[]) =>
  all.filter(({ topic, body }) => topic === topics.of("status") && body["online"] === true);
const conflicts = ({ outbox }: Node) =>
  outbox.pending(0, 100).filter(({ kind }) => kind === "link.session-conflict");

/** A clock on which long waits last until the test ends them. */
function shortenedClock(): Clock & { readonly waits: number[]; pass(): void } {
  let ends: (() => void)[] = [];
  const waits: number[] = [];
  return {
    ...hostClock,
    waits,
    pass() {
      for (const end of ends) end();
      ends = [];
    },
    async sleep(ms, signal) {
      if (ms < 15_000 || ms === quickLimits.answerTimeoutMs) return hostClock.sleep(ms, signal);
      waits.push(ms);
      await new Promise<void>((resolve, reject) => {
        ends.push(resolve);
        signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
    },
  };
}

/** A broker that answers each CONNECT with the next of these packets, in hex, one after another. */
async function sayingBroker(t: Test, ...answers: readonly (readonly string[])[]) {
  let connections = 0;
  const server = net.createServer((socket) => {
    const packets = answers[connections] ?? [];
    connections += 1;
    socket.on("error", () => {});
    socket.once("data", () => {
      for (const packet of packets) socket.write(Buffer.from(packet, "hex"));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => void server.close());
  return { host: "127.0.0.1", port: (server.address() as net.AddressInfo).port } as const;
}

/** CONNACK of MQTT 5 that sends the client elsewhere: reason 0x9d with a server reference. */
function movedTo(reference: string): string {
  const property = Buffer.concat([
    Buffer.from([0x1c, 0, reference.length]),
    Buffer.from(reference),
  ]);
  const body = Buffer.concat([Buffer.from([0, 0x9d, property.length]), property]);
  return Buffer.concat([Buffer.from([0x20, body.length]), body]).toString("hex");
}

async function until(t: Test, what: string, done: () => boolean): Promise<void> {
  for (let left = 400; left > 0; left--) {
    if (done()) return;
    await hostClock.sleep(25);
  }
  t.fail(`did not see ${what}`);
}

t.test("what a broker says of the end is understood", async (t) => {
  const there = await sayingBroker(t, ["2003000000", "e0028e00"]);
  const here = await sayingBroker(t, ["2003008900"], [movedTo(`127.0.0.1:${there.port}`)]);
  const evil = await sayingBroker(t, [movedTo("192.0.2.1:8883")]);
  const node = await makeNode(t);
  const others = [evil, there].map(({ host, port }) => ({ host, port }));
  const limits = { ...quickLimits, answerTimeoutMs: 500 };
  const clock = shortenedClock();
  daemon(t, { ...node, io: { ...node.io, clock } }, settingsFor(here, { others, limits }));
  await until(t, "a conflict", () => conflicts(node).length > 0);
  t.match(conflicts(node)[0]?.body, {
    ...{ isCertain: true, broker: `127.0.0.1:${there.port}`, session: 3 },
  });
  t.same(
    node.records.filter(({ event }) => event === "link.down").map(({ fields }) => fields["code"]),
    ["link/overloaded", "link/moved", "link/session-conflict"],
  );
});

for (const kind of brokerKinds) {
  t.test(kind, { skip: brokerMissing(kind) }, async (t) => {
    const broker = await startBroker(t, kind);

    await t.test("desired states and commands come to the root side, once", async (t) => {
      const fleet = await listen(t, broker);
      await fleet.publish(topics.of("desired"), "kept from before", true);
      const node = await makeNode(t);
      const submitted: string[] = [];
      const submit: Submit = async ({ topic, bytes }): Promise<SubmitAnswer> => {
        submitted.push(`${topic} ${Buffer.from(bytes)}`);
        return topic === "cmd"
          ? { kind: "command", command: { id, name: "ping", isNew: true } }
          : { kind: "refused", code: "trust/rollback", message: "director: 3 after 7", trusted };
      };
      const stop = daemon(t, node, settingsFor(broker), {
        submit,
        readers: { ...readers, trusted: async () => trusted },
      });
      t.same((await fleet.wait("the get", onTopic(topics.of("get")))).body["trusted"], trusted);
      const refused = await fleet.wait(
        "a refusal",
        onTopic(topics.with("event", "desired.refused")),
      );
      t.match(refused.body, { code: "trust/rollback", trusted });
      await fleet.publish(topics.with("cmd", "reboot"), command, true); // nobody may keep one
      await fleet.publish(topics.with("cmd", "ping"), command);
      const answered = await fleet.wait(
        "an answer",
        onTopic(topics.with("event", "command.answered")),
      );
      t.match(answered, {
        envelope: { correlation: id },
        body: { command: "ping", outcome: "taken", id },
      });
      await stop();
      await fleet.publish(topics.with("cmd", "ping"), command); // while it is away
      daemon(t, node, settingsFor(broker), { submit });
      await fleet.waitUntil(
        "the answer to what came meanwhile",
        (all) => all.filter(onTopic(topics.with("event", "command.answered"))).length >= 2,
      );
      t.same(
        [...new Set(submitted)],
        ["desired kept from before", `cmd ${command}`],
        "nothing of the kept command",
      );
      await fleet.publish(topics.of("desired"), "", true);
      await fleet.publish(topics.with("cmd", "reboot"), "", true);
      await until(t, "the clearing", () =>
        node.records.some(({ event }) => event === "link.desired.cleared"),
      );
    });

    await t.test(
      "signed bytes on the wire are verified and stored before the PUBACK",
      async (t) => {
        const listener = await listen(t, broker);
        const signed = fakeFleet({ node: address });
        const root = fakeReceiver(temporaryDirectory(t, "firstlight-root-"), signed);
        const node = await makeNode(t);
        const { trusted: believed, about } = stateReaders({
          ...{
            io: root.io,
            version: "1",
            healthIntervalMs: 1_000,
            rootFile: "/etc/firstlight/root.json",
          },
          witness: async () => ({ v: 1, readings: {}, failures: [], missingTools: [], ms: 1 }),
        });
        const start = () =>
          daemon(t, node, settingsFor(broker), {
            submit: ({ topic, bytes }) => root.submit(bytes, topic),
            readers: {
              ...readers,
              about,
              ...(believed === undefined ? {} : { trusted: believed }),
            },
          });
        const good = message(signed.publish());
        await listener.publish(topics.of("desired"), Buffer.from(good), true);
        const stop = start();
        const get = await listener.wait("the get", onTopic(topics.of("get")));
        t.match(get.body["trusted"], { root: 1 });
        await until(t, "an assignment", () => root.assigned() !== undefined);
        t.match(JSON.parse(root.assigned() ?? ""), { assignment: { updateId: "update-1" } });
        const worse = Buffer.from(good).toString().replace("update-1", "update-2");
        await listener.publish(topics.of("desired"), worse);
        const refused = await listener.wait(
          "a refusal",
          onTopic(topics.with("event", "desired.refused")),
        );
        t.match(refused.body, { code: /^trust\//, trusted: { timestamp: 1, director: 1 } });
        t.match(JSON.parse(root.assigned() ?? ""), { assignment: { updateId: "update-1" } });
        await stop();
        start();
        await listener.waitUntil("the versions", (all) =>
          all.some(
            ({ topic, body }) =>
              topic === topics.of("about") &&
              (body["trusted"] as { director?: number } | undefined)?.director === 1,
          ),
        );
        await listener.publish(topics.of("desired"), "", true);
      },
    );

    await t.test("a dead root side makes no storm, and the fleet hears of the node", async (t) => {
      const fleet = await listen(t, broker);
      await fleet.publish(topics.of("desired"), "wanted", true);
      const node = await makeNode(t);
      node.outbox.append(...stages(50));
      let [asked, isDead] = [0, true];
      const limits = { ...quickLimits, backOffFirstMs: 100, backOffMostMs: 400 };
      daemon(t, node, settingsFor(broker, { limits }), {
        submit: async () => {
          asked += 1;
          if (isDead) throw new Error("nobody is there");
          return { kind: "assigned" };
        },
      });
      await fleet.waitUntil("every event", () => new Set(fleet.seqs()).size === 50);
      await until(t, "more tries", () => asked >= 4);
      const down = node.records.filter(({ event }) => event === "link.down");
      t.match(down[0]?.fields, { code: "link/no-answer" });
      t.ok(asked <= down.length + 1, "each time it waits");
      isDead = false;
      await until(t, "an answer", () =>
        node.records.some(({ event }) => event === "link.submitted"),
      );
      await fleet.publish(topics.of("desired"), "", true);
    });

    await t.test("two machines with one identity end their quarrel, and both tell", async (t) => {
      const fleet = await listen(t, broker);
      const nodes = [await makeNode(t), await makeNode(t)] as const;
      const clocks = [shortenedClock(), shortenedClock()] as const;
      const [one, two] = nodes.map((node, i) => ({
        ...node,
        io: { ...node.io, clock: clocks[i] as Clock },
      })) as [Node, Node];
      daemon(t, one, settingsFor(broker));
      await fleet.wait("a birth", ({ topic }) => topic === topics.of("status"));
      daemon(t, two, settingsFor(broker));
      await until(t, "a conflict", () => nodes.some((node) => conflicts(node).length > 0));
      const [event] = nodes.flatMap(conflicts);
      const epochs = new Set(births(fleet.heard).map(({ body }) => body["epoch"]));
      t.equal(epochs.size, 2, "their births have two epochs");
      t.match(event?.body, {
        code: "link/session-conflict",
        isCertain: false, // neither of the two gives the reason
        broker: `127.0.0.1:${broker.port}`,
        times: 1,
      });
      t.ok(epochs.has((event?.body as { epoch?: string })?.epoch ?? ""));
      const before = births(fleet.heard).length;
      t.ok(before < 10, `${before} births until one of them waits`);
      await hostClock.sleep(300);
      t.ok(births(fleet.heard).length - before <= 1, "and then there is quiet");
    });

    await t.test("the next broker takes over, and the first one is gone back to", async (t) => {
      const second = await startBroker(t, kind);
      const fleet = await listen(t, second);
      const made = await makeNode(t);
      const clock = shortenedClock();
      const node = { ...made, io: { ...made.io, clock } };
      node.outbox.append(...stages(3));
      const first: Broker = await startBroker(t, kind);
      await first.kill();
      const others = [
        { host: "127.0.0.1", port: await freePort() },
        { host: second.host, port: second.port },
      ];
      daemon(t, node, settingsFor(first, { others }), { schedule: handSchedule() });
      await fleet.wait(
        "event 3",
        ({ envelope }) => envelope.seq === 3 && envelope.stream === node.outbox.stream(),
      );
      clock.pass();
      await until(t, "a look at the first", () =>
        node.records.some(({ event }) => event === "link.first-broker-away"),
      );
      await first.start();
      const there = await listen(t, first);
      clock.pass();
      t.match(await fleet.wait("a farewell", ({ body }) => body["online"] === false), {
        body: { reason: "moved" },
      });
      await there.wait("a birth", ({ body }) => body["online"] === true);
    });
  });
}
