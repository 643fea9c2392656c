/** For tests: what leaves a machine by what it prints, starts and sends. */
import { connectAsync } from "mqtt";
import type { Test } from "tap";
import type { Broker } from "./brokers.ts";
import { canariesIn } from "./canaries.ts";
import type { Run } from "./story.ts";

/** What was printed and what was started: arguments and environments. */
export function saidNothing(t: Test, runs: readonly Run[]): void {
  for (const { stdout, stderr, processes } of runs) {
    t.same(canariesIn(stdout), [], "nothing on stdout");
    t.same(canariesIn(stderr), [], "nothing on stderr");
    t.same(canariesIn(JSON.stringify(processes)), [], "no argument, no environment");
  }
}

/** All that the broker hands out; `until` waits for a message by its topic and, after a space, its payload. */
export async function everythingReceived(t: Test, { host, port }: Broker) {
  const client = await connectAsync({ host, port, username: "ear", password: "ear" });
  const chunks: Buffer[] = [];
  let look = () => {};
  client.on("message", (topic, payload) => {
    chunks.push(Buffer.concat([Buffer.from(`${topic} `), payload]));
    look();
  });
  await client.subscribeAsync("#", { qos: 1 });
  t.teardown(() => void client.end(true));
  return {
    bytes: () => Buffer.concat(chunks),
    until: (pattern: RegExp) =>
      new Promise<void>((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`${pattern} was not received`)), 20_000);
        look = () => {
          if (!chunks.some((chunk) => pattern.test(chunk.toString()))) return;
          clearTimeout(late);
          resolve();
        };
        look();
      }),
  };
}
