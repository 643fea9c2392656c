import { once } from "node:events";
import { readFileSync } from "node:fs";
import net from "node:net";
import mqtt from "mqtt";
import t, { type Test } from "tap";
import { hostClock } from "#core/host-io.ts";
import { mosquittoAccess } from "#fleet/enroll/access.ts";
import type { NodeAddress } from "#protocol/topics.ts";
import { type FakeFleet, fakeFleet } from "#protocol/trust/fake-fleet.ts";
import { newKeyPair } from "#protocol/trust/sign/key-pair.ts";
import { makeCommand } from "#protocol/trust/sign/make-metadata.ts";
import { message } from "#protocol/trust/sign/message.ts";
import { signMetadata } from "#protocol/trust/sign/sign-metadata.ts";
import { type Broker, brokerKinds, brokerMissing, startBroker } from "../brokers.ts";
import { canariesIn, canary, findCanaries } from "../canaries.ts";
import { type FleetListener, type Heard, listen } from "../fleet-listener.ts";
import { updateNode } from "../update/node.ts";
import { attackedNode } from "./attacked-node.ts";

t.setTimeout(600_000);

const plant = (node: string): NodeAddress => ({ fleet: "plant-7", node });
const isKind = (topic: string) => (heard: Heard) => heard.topic === topic;
const settled = () => hostClock.sleep(300);

/** A client of an attacker, of whom the broker may not even hear. */
async function attacker(
  t: Test,
  { host, port }: Broker,
  options: mqtt.IClientOptions,
): Promise<mqtt.MqttClient> {
  const client = await mqtt.connectAsync({
    ...{ host, port, protocol: "mqtt", protocolVersion: 5, reconnectPeriod: 0 },
    ...options,
  });
  client.on("error", () => {});
  t.teardown(() => void client.end(true));
  return client;
}

/** The fleet's next good set, and that the node takes it. */
async function takesGood(
  t: Test,
  fleet: FakeFleet,
  {
    listener,
    node,
    count,
  }: { listener: FleetListener; node: Awaited<ReturnType<typeof attackedNode>>; count: number },
): Promise<void> {
  const good = fleet.publish();
  await listener.publish(node.topics.of("desired"), Buffer.from(message(good)), true);
  t.match(await node.answered(count), { kind: "assigned" }, "the next good update is taken");
  t.equal(node.answers.length, count, "and nothing else came to the root side");
  t.same(node.root.io.executed, [], "no process was started");
}

t.test(
  "mosquitto, with rights by name: what another node or a thief of its account may not do",
  { skip: brokerMissing("mosquitto") },
  async (t) => {
    const [own, other] = [plant("edge-17"), plant("edge-18")];
    const users = { "edge-17": "one", "edge-18": "two", fleet: "three" };
    const access = [
      ...mosquittoAccess(own),
      ...mosquittoAccess(other),
      ...["user fleet", "topic readwrite firstlight/#"],
    ];
    const broker = await startBroker(t, "mosquitto", { users, access });
    const listener = await listen(t, broker, { username: "fleet", password: "three" });
    const fleet = fakeFleet({ node: own });
    const { Secret } = await import("#core/secret.ts");
    const settings = { username: "edge-17", password: new Secret("one") };
    const node = await attackedNode(t, broker, { fleet, settings });
    const { topics } = node;
    node.start();
    await listener.wait("the get", isKind(topics.of("get")));
    await takesGood(t, fleet, { listener, node, count: 1 });

    const heard: string[] = [];
    const thief = await attacker(t, broker, { username: "edge-18", password: "two" });
    thief.on("message", (topic) => heard.push(topic));
    const denied = { code: 135 };

    await t.test("topic spoof: messages in another node's name", async (t) => {
      for (const topic of [
        ...(["status", "about", "reported", "update", "get", "health"] as const).map(topics.of),
        topics.with("event", "update.changed"),
      ])
        await t.rejects(thief.publishAsync(topic, "{}", { qos: 1, retain: true }), denied, topic);
    });

    await t.test("topic spoof: desired states, commands and acks for another node", async (t) => {
      const next = Buffer.from(message(fakeFleet({ node: own }).publish()));
      for (const topic of [topics.of("desired"), topics.with("cmd", "reboot"), topics.of("ack")])
        await t.rejects(thief.publishAsync(topic, next, { qos: 1, retain: true }), denied, topic);
    });

    await t.test("topic spoof: everything is asked for", async (t) => {
      for (const filter of ["#", "firstlight/#", topics.of("desired"), "$SYS/#"])
        await thief.subscribeAsync(filter, { qos: 1 }).catch(() => {});
      await listener.publish(topics.with("cmd", "ping"), "{}");
      await settled();
      t.same(heard, [], "and nothing is heard");
    });

    await t.test("topic spoof: a last will that says that another node is lost", async (t) => {
      const before = listener.heard.length;
      const payload = Buffer.from(JSON.stringify({ v: 1, seq: 0, body: { online: false } }));
      const liar = await attacker(t, broker, {
        ...{ username: "edge-18", password: "two" },
        will: { topic: topics.of("status"), payload, qos: 1, retain: true },
      }).catch(() => undefined);
      liar?.stream?.destroy();
      await settled();
      const lies = listener.heard.slice(before).filter(isKind(topics.of("status")));
      t.same(
        lies.filter(({ body }) => body["online"] === false),
        [],
      );
    });

    await t.test("session takeover: another node's client id", async (t) => {
      const births = () => listener.heard.filter(isKind(topics.of("status"))).length;
      const before = births();
      await attacker(t, broker, {
        ...{ username: "edge-18", password: "two", clientId: "edge-17" },
      }).catch(() => {});
      await settled();
      t.equal(births(), before, "the name of the account is the client id");
    });

    await t.test("retained poison: a thief of the node's own account", async (t) => {
      // It takes the session over, which is told; it can still say nothing to the node.
      const poison = await attacker(t, broker, { username: "edge-17", password: "one" });
      for (const topic of [topics.of("desired"), topics.with("cmd", "reboot"), topics.of("ack")])
        await t.rejects(poison.publishAsync(topic, "{}", { qos: 1, retain: true }), denied, topic);
      await poison.endAsync(true);
    });
    await settled();
    await takesGood(t, fleet, { listener, node, count: node.answers.length + 1 });
  },
);

for (const kind of brokerKinds) {
  t.test(kind, { skip: brokerMissing(kind) }, async (t) => {
    const broker = await startBroker(t, kind);
    const listener = await listen(t, broker);

    await t.test("session takeover: a thief takes what was on its way to the node", async (t) => {
      const fleet = fakeFleet({ node: plant("edge-31") });
      const node = await attackedNode(t, broker, { fleet });
      const { topics } = node;
      const stop = node.start();
      await listener.wait("the get", isKind(topics.of("get")));
      await takesGood(t, fleet, { listener, node, count: 1 });
      await stop();
      const asked = listener.heard.filter(isKind(topics.of("get"))).length;
      const next = Buffer.from(message(fleet.publish()));
      await listener.publish(topics.of("desired"), next); // queued, not kept
      const stolen: string[] = [];
      const thief = new mqtt.MqttClient(() => net.connect(broker.port, broker.host), {
        clientId: "edge-31",
        clean: false,
        protocolVersion: kind === "aedes" ? 4 : 5,
        reconnectPeriod: 0,
      });
      thief.on("message", (topic) => stolen.push(topic));
      t.teardown(() => void thief.end(true));
      for (let waits = 0; stolen.length === 0 && waits < 400; waits++) await hostClock.sleep(25);
      t.same(stolen, [topics.of("desired")], "the broker gives it to whoever has the name");
      await thief.endAsync();
      node.start();
      await listener.waitUntil(
        "the node to ask again",
        (all) => all.filter(isKind(topics.of("get"))).length > asked,
      );
      await listener.publish(topics.of("desired"), next, true); // what the fleet answers it
      t.match(await node.answered(node.answers.length + 1), { kind: "assigned" });
      await listener.publish(topics.of("desired"), "", true);
    });

    await t.test("endless data: a message of many times what is taken", async (t) => {
      const fleet = fakeFleet({ node: plant("edge-32") });
      const node = await attackedNode(t, broker, { fleet });
      node.start();
      await listener.wait("the get", isKind(node.topics.of("get")));
      await flood(broker, node.topics.of("desired"));
      await settled();
      t.same(node.answers, []);
      await takesGood(t, fleet, { listener, node, count: 1 });
    });

    for (const [index, [name, code, send]] of commandAttacks.entries()) {
      await t.test(`command: ${name}`, async (t) => {
        const fleet = fakeFleet({ node: plant(`edge-${40 + index}`) });
        const node = await attackedNode(t, broker, { fleet });
        const stop = node.start();
        await listener.wait("the get", isKind(node.topics.of("get")));
        await takesGood(t, fleet, { listener, node, count: 1 });
        const before = listener.heard.length;
        await listener.publish(node.topics.with("cmd", "reboot"), send(fleet, node));
        await listener.waitUntil("an answer", (all) =>
          all.slice(before).some(isKind(node.topics.with("event", "command.answered"))),
        );
        const answer = listener.heard
          .slice(before)
          .find(isKind(node.topics.with("event", "command.answered")));
        t.match(answer?.body, { outcome: "refused", code });
        t.equal(node.root.io.files.stat("/var/lib/firstlight/update/commands.json"), undefined);
        await takesGood(t, fleet, { listener, node, count: 3 });
        await stop();
        await listener.publish(node.topics.of("desired"), "", true);
      });
    }

    await t.test("command: the same one again and again, and kept by the broker", async (t) => {
      const fleet = fakeFleet({ node: plant("edge-34") });
      const node = await attackedNode(t, broker, { fleet });
      node.start();
      await listener.wait("the get", isKind(node.topics.of("get")));
      await takesGood(t, fleet, { listener, node, count: 1 });
      const bytes = command(fleet, node, {});
      for (let times = 0; times < 3; times++)
        await listener.publish(node.topics.with("cmd", "reboot"), bytes);
      await node.answered(4);
      t.same(
        node.answers.slice(1).map((answer) => answer.command?.isNew),
        [true, false, false],
        "it is taken once",
      );
      await listener.publish(node.topics.with("cmd", "reboot"), bytes, true);
      await settled();
      await takesGood(t, fleet, { listener, node, count: node.answers.length + 1 });
      await listener.publish(node.topics.with("cmd", "reboot"), "", true);
    });
  });
}

type Attacked = Awaited<ReturnType<typeof attackedNode>>;
type CommandContent = Parameters<typeof makeCommand>[0];

/** A command that restarts the node, as the fleet would sign it, but for what is changed. */
function command(
  fleet: FakeFleet,
  { root }: Attacked,
  change: Partial<CommandContent>,
  keys = fleet.keysOf("director").keys,
): Buffer {
  const nowMs = root.io.clock.now();
  const signed = makeCommand({
    ...{ node: fleet.node, id: "0b5c0f0e-6c0b-4c3a", name: "reboot" as const },
    ...{ issuedMs: nowMs, expiresMs: nowMs + 300_000, ...change },
  });
  return Buffer.from(message(signMetadata(signed, keys)));
}

const commandAttacks: readonly (readonly [
  string,
  string,
  (fleet: FakeFleet, node: Attacked) => Buffer,
])[] = [
  [
    "signed by nobody that the node knows",
    "trust/threshold",
    (fleet, node) => command(fleet, node, {}, [newKeyPair()]),
  ],
  [
    "signed by the owners of releases",
    "trust/threshold",
    (fleet, node) => command(fleet, node, {}, fleet.keysOf("targets").keys),
  ],
  [
    "for another node",
    "trust/other-node",
    (fleet, node) => command(fleet, node, { node: plant("edge-18") }),
  ],
  [
    "of an hour ago",
    "trust/expired",
    (fleet, node) => {
      const issuedMs = node.root.io.clock.now() - 3_600_000;
      return command(fleet, node, { issuedMs, expiresMs: issuedMs + 300_000 });
    },
  ],
  [
    "that counts for a year",
    "trust/malformed",
    (fleet, node) =>
      command(fleet, node, { expiresMs: node.root.io.clock.now() + 365 * 24 * 3_600_000 }),
  ],
  [
    "that runs a program",
    "trust/malformed",
    (fleet, node) => command(fleet, node, { name: "shell" as "reboot", arguments: { run: "id" } }),
  ],
  ["of lists without an end", "trust/limit", () => Buffer.from("[".repeat(200_000))],
];

/** A PUBLISH of 8 MB, as far as the broker takes it. */
async function flood({ host, port }: Broker, topic: string): Promise<void> {
  const socket = net.connect(port, host);
  socket.on("error", () => {});
  await once(socket, "connect");
  // CONNECT of MQTT 3.1.1, clean session, client id "flood".
  socket.write(Buffer.from("101100044d515454040200000005666c6f6f64", "hex"));
  await once(socket, "data");
  const most = 8 * 1024 * 1024;
  const head = Buffer.concat([
    Buffer.from([0x30, 0x80, 0x80, 0x80, 0x04, 0, topic.length]), // 8 MB, as MQTT writes a length
    Buffer.from(topic),
  ]);
  socket.write(head);
  const chunk = Buffer.alloc(1024 * 1024, 0x5b);
  let left = most - 2 - topic.length;
  const closed = once(socket, "close");
  while (left > 0 && !socket.destroyed) {
    const part = chunk.subarray(0, Math.min(left, chunk.length));
    left -= part.length;
    if (!socket.write(part)) await Promise.race([once(socket, "drain"), closed]);
  }
  socket.end();
  await closed;
}

t.test(
  "eavesdrop: an update leaves no secret at the broker, in a log or beside the credentials",
  { skip: brokerMissing("mosquitto") },
  async (t) => {
    const password = canary("broker");
    const broker = await startBroker(t, "mosquitto", { users: { edge: password, fleet: "three" } });
    const user = { name: "maria", hashed_passwd: `$6$salt$${canary("hash")}` };
    const node = await updateNode(t, broker, {
      listener: { username: "fleet", password: "three" },
      mqtt: { username: "edge", passwordFile: "/etc/firstlight/broker-password" },
      userData: `users: [default, ${JSON.stringify(user)}]\n`,
    });
    node.io.files.write("/etc/firstlight/broker-password", password, { mode: 0o600 });
    const side = await node.startRootSide();
    const boot = await node.boot();
    t.match(boot, { code: 0 }, boot.stderr);
    const before = findCanaries(node.root);
    t.ok(before.length > 0, "the secrets are on the machine");
    const agent = node.startAgent();
    await node.push(node.sign("u-1", { timezone: "Europe/Berlin" }));
    await node.assigned("u-1");
    const run = await node.update();
    t.match(run, { code: 0, stdout: /^u-1: SUCCEEDED/ }, run.stderr);
    await node.event("update.changed", ({ body }) => body["to"] === "SUCCEEDED");
    await agent.stop();
    await broker.kill();
    const log = readFileSync(`${broker.directory}/mosquitto.log`);
    t.match(log.toString(), /Received PUBLISH from edge-17/);
    t.same(findCanaries(broker.directory), [], "nothing at the broker");
    t.same(canariesIn(JSON.stringify(node.fleet.heard)), [], "nothing that the fleet heard");
    for (const said of [boot.stdout, boot.stderr, run.stdout, run.stderr])
      t.same(canariesIn(said), []);
    t.same(canariesIn([...side.lines, ...agent.lines].join("\n")), [], "nothing in a log");
    const places = (hits: typeof before) =>
      new Set(hits.map(({ file }) => file.replace(/@?[0-9a-f]{16,}/g, "")));
    t.same(places(findCanaries(node.root)), places(before), "nowhere where none was before");
  },
);
