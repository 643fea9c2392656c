// A node's network side in a process of its own, so that a test can kill it: node link-child.ts OPTIONS

import { runDaemon } from "#agent/daemon.ts";
import { connector } from "#agent/link/client.ts";
import type { LinkSettings } from "#agent/link/link-settings.ts";
import { cronSchedule } from "#agent/schedule.ts";
import { readUpdateState } from "#agent/update/read-state.ts";
import { submitter } from "#cli/submit.ts";
import { hostIo } from "#core/host-io.ts";
import { createLog } from "#core/log.ts";
import { nodeTopics } from "#protocol/topics.ts";

/** What the parent asks of the child, as JSON in its argument. */
export interface ChildOptions {
  readonly root: string;
  readonly settings: LinkSettings;
  /** `daemon` runs until killed; `die-at-message` takes one message and dies before it is stored. */
  readonly mode: "daemon" | "die-at-message";
  /** Whether the daemon hands what the fleet says to the root side, which listens at its door. */
  readonly submits?: boolean;
}

const {
  root,
  settings,
  mode,
  submits = false,
} = JSON.parse(process.argv[2] ?? "{}") as ChildOptions;
const io = hostIo({ root });
const log = createLog(io.clock, (record) => console.error(JSON.stringify(record)));

if (mode === "daemon") {
  const stop = new AbortController();
  process.once("SIGTERM", () => stop.abort());
  await runDaemon({
    io,
    log,
    settings,
    schedule: await cronSchedule(log),
    isCurrent: () => true,
    ...(submits ? { submit: submitter(io) } : {}),
    signal: stop.signal,
    readers: {
      about: async () => ({ agent: "0.1.0", platform: "x86_64-linux", capabilities: ["report"] }),
      reported: async () => ({ generation: 1 }),
      update: async () => readUpdateState(io.files),
      health: async () => ({ uptimeSeconds: 1 }),
    },
  });
} else {
  const topic = nodeTopics(settings.address).of("desired");
  const session = await connector(io, log, settings).connect({
    will: () => ({
      topic: nodeTopics(settings.address).of("status"),
      payload: "{}",
      qos: 1,
      retained: true,
    }),
    onMessage: async () => void process.kill(process.pid, "SIGKILL"),
  });
  await session.subscribe([topic]);
  console.log("subscribed");
}
