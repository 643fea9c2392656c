import type { Test } from "tap";
import type { SubmitAnswer } from "#agent/link/reception.ts";
import { type FakeReceiver, fakeReceiver } from "#agent/update/fake-receiver.ts";
import { submitter } from "#cli/submit.ts";
import { hostClock } from "#core/host-io.ts";
import { silentLog } from "#core/log.ts";
import { type NodeTopics, nodeTopics } from "#protocol/topics.ts";
import type { FakeFleet } from "#protocol/trust/fake-fleet.ts";
import { courierDoor } from "#provisioner/system/sides/courier-door.ts";
import { listenAtDoors } from "#provisioner/system/sides/listen.ts";
import { serveSides } from "#provisioner/system/sides/serve.ts";
import { type Broker, temporaryDirectory } from "../brokers.ts";
import { daemon, makeNode, type Node, readers, settingsFor } from "../link-node.ts";

/** A node that is attacked: its network side at a real broker, its root side behind the real door. */
export interface AttackedNode {
  readonly topics: NodeTopics;
  /** The root side's half, whose clock the test moves. */
  readonly root: FakeReceiver;
  /** The network side's half. */
  readonly network: Node;
  /** What the root side answered, in order. */
  readonly answers: readonly SubmitAnswer[];
  /** Waits until it has answered so often. */
  answered(count: number): Promise<SubmitAnswer>;
  /** Starts the network side; the returned function ends it with a farewell. */
  start(): () => Promise<void>;
}

const answerWaitMs = 20_000;

/** A node of this fleet, whose network side is not started yet. */
export async function attackedNode(
  t: Test,
  broker: Broker,
  { fleet, settings = {} }: { readonly fleet: FakeFleet; readonly settings?: object },
): Promise<AttackedNode> {
  const root = fakeReceiver(temporaryDirectory(t, "attacked-"), fleet);
  const door = courierDoor(
    () => {
      throw new Error("nobody asks for the system here");
    },
    ({ topic, bytes }) => root.submit(bytes, topic),
  );
  const servers = await listenAtDoors(root.io);
  servers.get("operator")?.close();
  const server = servers.get("courier");
  if (server === undefined) throw new Error("no courier's door");
  const stop = new AbortController();
  const served = serveSides({
    ...{ doors: [{ door, server }], clock: hostClock, log: silentLog },
    ...{ idleMs: 3_600_000, signal: stop.signal },
  });
  t.teardown(async () => {
    stop.abort();
    await served;
  });
  const network = await makeNode(t);
  const answers: SubmitAnswer[] = [];
  const ask = submitter(root.io);
  const address = { address: fleet.node, clientId: fleet.node.node };
  const start = () =>
    daemon(t, network, settingsFor(broker, { ...address, ...settings }), {
      readers,
      submit: async (submission) => {
        const answer = await ask(submission);
        answers.push(answer);
        return answer;
      },
    });
  return {
    ...{ topics: nodeTopics(fleet.node), root, network, answers, start },
    async answered(count) {
      const until = hostClock.monotonicMs() + answerWaitMs;
      while (answers.length < count) {
        if (hostClock.monotonicMs() > until) {
          throw new Error(`${answers.length} answers of the root side, ${count} were expected`);
        }
        await hostClock.sleep(5);
      }
      return answers[count - 1] as SubmitAnswer;
    },
  };
}
