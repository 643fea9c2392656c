import { spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import { fileURLToPath } from "node:url";
import t from "tap";
import { fakeReceiver } from "#agent/update/fake-receiver.ts";
import { hostClock } from "#core/host-io.ts";
import { fakeFleet } from "#protocol/trust/fake-fleet.ts";
import { message } from "#protocol/trust/sign/message.ts";
import { brokerKinds, brokerMissing, startBroker, temporaryDirectory } from "./brokers.ts";
import { ackMessage, type Heard, listen } from "./fleet-listener.ts";
import type { ChildOptions } from "./link-child.ts";
import {
  address,
  connect,
  daemon,
  makeNode,
  quickLimits,
  settingsFor,
  stages,
  topics,
} from "./link-node.ts";

t.setTimeout(300_000);

const childScript = fileURLToPath(new URL("link-child.ts", import.meta.url));
const isEvent = (seq: number) => (heard: Heard) =>
  heard.topic.includes("/event/") && heard.envelope.seq === seq;
const isBirth = ({ topic, body }: Heard) =>
  topic === topics.of("status") && body["online"] === true;

for (const kind of brokerKinds) {
  t.test(kind, { skip: brokerMissing(kind), timeout: 200_000 }, async (t) => {
    t.test("a broker that forgets everything when it is killed loses no event", async (t) => {
      const broker = await startBroker(t, kind, { durable: false });
      t.equal(broker.durable, false);
      const fleet = await listen(t, broker);
      fleet.acknowledge();
      const node = await makeNode(t);
      node.outbox.append(...stages(300));
      const limits = { ...quickLimits, resendAfterMs: 200 };
      daemon(t, node, settingsFor(broker, { acknowledge: "server", limits }), {
        schedule: {
          every(_recurring, task) {
            const timer = setInterval(() => void task().catch(() => {}), 100);
            t.teardown(() => clearInterval(timer));
            return () => clearInterval(timer);
          },
        },
      });
      for (const middle of [20, 150]) {
        await fleet.wait(`event ${middle}`, isEvent(middle));
        await broker.kill();
        await broker.start();
      }
      await fleet.waitUntil("every event", () => new Set(fleet.seqs()).size === 300);
    });

    t.test(
      "after restarts in quick succession the kept presence is that of who is there",
      async (t) => {
        const broker = await startBroker(t, kind);
        const fleet = await listen(t, broker);
        const { io } = await makeNode(t);
        const options: ChildOptions = {
          root: io.files.root,
          settings: settingsFor(broker),
          mode: "daemon",
        };
        for (let run = 1; run <= 6; run += 1) {
          const child = spawn(process.execPath, [childScript, JSON.stringify(options)], {
            stdio: "ignore",
          });
          t.teardown(() => void child.kill("SIGKILL"));
          await fleet.wait(
            `birth ${run}`,
            (heard) => isBirth(heard) && heard.body["session"] === run,
          );
          if (run === 6) break;
          const gone = once(child, "exit");
          child.kill("SIGKILL");
          await gone;
        }
        await hostClock.sleep(500);
        const later = await listen(t, broker);
        const kept = await later.wait("what is kept", ({ topic }) => topic === topics.of("status"));
        t.match(kept, { retained: true, body: { online: true, session: 6 } });
        const order = fleet.heard.filter(({ topic }) => topic === topics.of("status"));
        const sessions = order.map(({ body }) => Number(body["session"]));
        t.same(
          sessions,
          [...sessions].sort((a, b) => a - b),
          "no will comes after the birth that followed it",
        );
      },
    );

    t.test("doubled and reordered messages lead to what the newest says", async (t) => {
      const broker = await startBroker(t, kind);
      const fleet = await listen(t, broker);
      const signed = fakeFleet({ node: address });
      const root = fakeReceiver(temporaryDirectory(t, "firstlight-root-"), signed);
      const node = await makeNode(t);
      const sets = ["a", "b", "c", "d"].map((id) => message(signed.publish({ update: { id } })));
      const answers: string[] = [];
      daemon(t, node, settingsFor(broker, { acknowledge: "server" }), {
        submit: async ({ topic, bytes }) => {
          const answer = await root.submit(bytes, topic);
          answers.push(answer.kind === "refused" ? String(answer.code) : answer.kind);
          return answer;
        },
      });
      await fleet.wait("the get", ({ topic }) => topic === topics.of("get"));
      for (const index of [0, 0, 2, 1, 2, 3, 0, 3])
        await fleet.publish(topics.of("desired"), Buffer.from(sets[index] ?? ""));
      while (answers.length < 8) await hostClock.sleep(25);
      const [back, same] = ["trust/rollback", "unchanged"];
      t.same(answers, ["assigned", same, "assigned", back, same, "assigned", back, same]);
      t.match(JSON.parse(root.assigned() ?? ""), { assignment: { updateId: "d" } });
      node.outbox.append(...stages(3));
      await fleet.wait("event 5", isEvent(5)); // two refusals came before
      for (const upTo of [3, 1, 3, 2, 4, 4, 1])
        await fleet.publish(topics.of("ack"), ackMessage(node.outbox.stream(), upTo));
      while (node.outbox.acknowledged() < 4) await hostClock.sleep(25);
      await hostClock.sleep(200);
      t.equal(node.outbox.acknowledged(), 4, "an older ack takes nothing back");
    });

    for (const [name, nowMs] of [
      ["in 1970", 12_345],
      ["in 2050", Date.UTC(2050, 0, 1)],
    ] as const) {
      t.test(`with its clock ${name} a node is heard, and asks the root side`, async (t) => {
        const broker = await startBroker(t, kind);
        const fleet = await listen(t, broker);
        await fleet.publish(topics.of("desired"), "signed", true);
        const made = await makeNode(t);
        const clock = { ...hostClock, now: () => nowMs };
        const node = { ...made, io: { ...made.io, clock } };
        node.outbox.append(...stages(3));
        let asked = 0;
        const stop = daemon(t, node, settingsFor(broker, { acknowledge: "server" }), {
          submit: async () => {
            asked += 1;
            return {
              kind: "refused",
              code: "trust/clock-untrusted",
              message: "the clock is not set",
            };
          },
        });
        await fleet.wait("event 3", isEvent(3));
        const health = await fleet.wait("health", ({ topic }) => topic === topics.of("health"));
        t.equal(health.envelope["at"], new Date(nowMs).toISOString());
        await fleet.publish(topics.of("ack"), ackMessage(node.outbox.stream(), 3));
        while (node.outbox.acknowledged() < 3) await hostClock.sleep(25);
        t.ok(asked >= 1);
        await stop();
        await fleet.publish(topics.of("desired"), "", true);
      });
    }
  });
}

t.test("a packet of 268 MB is cut at its head, however fast it comes", async (t) => {
  let written = 0;
  const server = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => {
      socket.write(Buffer.from("2003000000", "hex")); // CONNACK of MQTT 5
      socket.write(Buffer.from("30ffffff7f", "hex")); // PUBLISH of all that MQTT can say
      const chunk = Buffer.alloc(64 * 1024, 0x5b);
      const more = () => {
        while (!socket.destroyed) {
          written += chunk.length;
          if (!socket.write(chunk)) {
            socket.once("drain", more);
            return;
          }
        }
      };
      more();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => void server.close());
  const { port } = server.address() as net.AddressInfo;
  const node = await makeNode(t);
  const before = process.memoryUsage().rss;
  const session = await connect(t, node, settingsFor({ host: "127.0.0.1", port })).catch(
    (error: unknown) => error,
  );
  const gone = (session as { gone?: AbortSignal }).gone;
  if (gone !== undefined && !gone.aborted) await once(gone, "abort");
  t.match(gone === undefined ? session : gone.reason, {
    message: /announced a packet of 268435455/,
  });
  t.ok(written < 16 * 1024 * 1024, `${written} bytes were written`);
  t.ok(process.memoryUsage().rss - before < 64 * 1024 * 1024);
});
