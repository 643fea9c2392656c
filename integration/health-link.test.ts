import t from "tap";
import { linkProbe } from "#agent/health/probe-link.ts";
import { connector } from "#agent/link/client.ts";
import { defaultLimits, type LinkSettings } from "#agent/link/link-settings.ts";
import { hostIo } from "#core/host-io.ts";
import { createLog } from "#core/log.ts";
import { Secret } from "#core/secret.ts";
import { type Broker, brokerKinds, brokerMissing, startBroker } from "./brokers.ts";

const { signal } = new AbortController();
const users = { edge: "right" };

function settingsFor({ host, port }: Broker, password: string): LinkSettings {
  return {
    ...{ address: { fleet: "shops", node: "edge-17" }, host, port, clientId: "edge-17" },
    ...{ username: "edge", password: new Secret(password) },
    ...{ acknowledge: "broker", healthIntervalMs: 60_000, limits: defaultLimits },
  };
}

for (const kind of brokerKinds) {
  t.test(`the link to ${kind}, seen by a visitor`, { skip: brokerMissing(kind) }, async (t) => {
    const io = hostIo({ root: t.testdir() });
    const broker = await startBroker(t, kind, { users });
    const where = `${broker.host}:${broker.port}`;
    let password = "right";
    const probe = linkProbe(io);
    const look = () => probe(settingsFor(broker, password), signal);

    const log = createLog(io.clock, () => {});
    const agent = await connector(io, log, settingsFor(broker, "right")).connect({
      will: null,
      onMessage: async () => {},
    });
    t.same(await look(), { passed: true, message: `link ${where}: the broker answers` });
    await agent.publish({ topic: "still/there", payload: "1", qos: 1, retained: false });
    t.equal(agent.gone.aborted, false, "the agent's own session goes on beside it");
    await agent.end();

    password = "wrong";
    t.match(await linkProbe(io)(settingsFor(broker, password), signal), {
      passed: false,
      message: new RegExp(`^link: ${where}: `),
    });
    password = "right";
    await broker.kill();
    t.match(await look(), { passed: false, message: new RegExp(`^link: ${where}: `) });
    const second = await startBroker(t, kind, { users });
    const others = [{ host: second.host, port: second.port }];
    t.match(
      await probe({ ...settingsFor(broker, password), others }, signal),
      { passed: true, message: new RegExp(`:${second.port}: `) },
      "one of several is enough",
    );
    await broker.start();
    t.match(await look(), { passed: true }, "and again when it is back");
  });
}
