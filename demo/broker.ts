import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { connectAsync } from "mqtt";
import type { Broker } from "./machines.ts";

/** A message that a machine sent. */
export interface Received {
  /** Topic below `firstlight/1/demo/`. */
  readonly topic: string;
  readonly payload: unknown;
}

/** A broker in this process, and everything that it received. */
export interface DemoBroker extends Broker {
  readonly received: readonly Received[];
  /** Waits for all that the broker has taken so far. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

const marker = "demo/settled";

/** Opens a broker on a free loopback port that lets in only the demo's own user. */
export async function openBroker(onMessage: (message: Received) => void): Promise<DemoBroker> {
  const { Aedes } = await import("aedes");
  const [username, password] = ["node", "demo-password"];
  const aedes = await Aedes.createBroker({
    authenticate: (_client, name, secret, done) =>
      done(null, name === username && String(secret) === password),
  });
  const server = createServer(aedes.handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const listener = await connectAsync({
    host: "127.0.0.1",
    port,
    protocol: "mqtt",
    username,
    password,
    writeCache: false,
  });
  const received: Received[] = [];
  const arrived = new Set<() => void>();
  listener.on("message", (topic, bytes) => {
    if (topic === marker) return arrived.forEach((resolve) => void resolve());
    if (bytes.length === 0) return; // a new node clears what was kept of one before it
    const message = {
      topic: topic.replace("firstlight/1/demo/", ""),
      payload: JSON.parse(bytes.toString("utf8")) as unknown,
    };
    received.push(message);
    onMessage(message);
  });
  await listener.subscribeAsync(["firstlight/1/demo/#", marker], { qos: 1 });
  return {
    ...{ port, username, password, received },
    async settled() {
      // Messages come to the listener in the order in which the broker took them.
      const last = new Promise<void>((resolve) => arrived.add(resolve));
      await listener.publishAsync(marker, "", { qos: 1 });
      await last;
    },
    async close() {
      await listener.endAsync();
      await new Promise<void>((resolve) => aedes.close(() => server.close(() => resolve())));
    },
  };
}
