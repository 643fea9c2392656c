import type { Test } from "tap";
import { nodeTopics } from "#protocol/topics.ts";
import type { FakeRelease } from "#protocol/trust/fake-fleet.ts";
import { message } from "#protocol/trust/sign/message.ts";
import type { Heard } from "../fleet-listener.ts";
import type { Answer } from "./host.ts";
import type { Lab } from "./lab.ts";
import type { Machine } from "./machine.ts";
import type { Scenario, Step } from "./scenario.ts";

const shownLines = 60;

/** Plays a scenario on a machine: each step is a test. After one that fails the rest makes no sense. */
export async function play(
  t: Test,
  { name, metadata, steps }: Scenario,
  { machine, lab }: { readonly machine: Machine; readonly lab: Lab },
): Promise<void> {
  if (metadata !== undefined) lab.serveMetadata(metadata);
  lab.fleet.acknowledge();
  const events = eventCursor(lab);
  const director = openDirector(lab);
  const { pace, restartsFirst } = machine;
  for (const step of steps({ publicKey: lab.publicKey, pace, restartsFirst })) {
    await t.test(step.why, (t) => take(t, step, { machine, lab, events, director }));
    if (t.passing()) continue;
    t.comment(
      `${name}: the console's last lines\n${machine.console.lines.slice(-shownLines).join("\n")}`,
    );
    return;
  }
}

interface Stage {
  readonly machine: Machine;
  readonly lab: Lab;
  readonly events: ReturnType<typeof eventCursor>;
  readonly director: Director;
}

async function take(t: Test, step: Step, { machine, lab, events, director }: Stage): Promise<void> {
  if ("insert" in step) return machine.insert(step.insert);
  if ("serve" in step) return lab.serveMetadata(step.serve);
  if ("power" in step) return power(machine, step.power);
  if ("says" in step) {
    const record = await machine.console.record(step.says, ({ msg }) => msg === step.says);
    t.match(record, step.with ?? {});
    return;
  }
  if ("tells" in step) {
    const wanted = Object.entries(step.when);
    await machine.console.record(
      step.why,
      (record) =>
        record.msg === step.tells && wanted.every(([field, value]) => record[field] === value),
    );
    return;
  }
  if ("shows" in step) return void (await machine.console.line(step.why, step.shows));
  if ("assigns" in step) return director.assign(step.assigns, step.spec);
  if ("replays" in step) return director.replay(step.replays);
  if ("hears" in step) {
    t.match((await events.next(step.hears)).body, step.with ?? {});
    return;
  }
  const answer = "run" in step ? await machine.run(step.run) : await lab.ssh(step.ssh);
  check(t, step, answer);
}

function check(
  t: Test,
  {
    code = 0,
    prints,
    lacks,
  }: { readonly code?: number; readonly prints?: RegExp | string; readonly lacks?: RegExp },
  answer: Answer,
): void {
  const said = `${answer.stdout}${answer.stderr}`;
  t.equal(answer.code, code, said.slice(0, 4000));
  if (prints !== undefined) t.match(answer.stdout, prints);
  if (lacks !== undefined) t.notMatch(answer.stdout, lacks);
}

function power(machine: Machine, what: "on" | "reboot" | "off" | "cut"): Promise<void> {
  switch (what) {
    case "on":
      return machine.switchOn();
    case "reboot":
      return machine.reboot();
    case "off":
      return machine.switchOff();
    case "cut":
      return machine.cutPower();
  }
}

/** Who says what the machine shall become, and keeps every message for whoever wants to send it again. */
interface Director {
  assign(update: string, spec: object): Promise<void>;
  replay(update: string): Promise<void>;
}

function openDirector({ fleet, signer }: Lab): Director {
  const topic = nodeTopics(signer.node).of("desired");
  const releases: FakeRelease[] = [];
  const sent = new Map<string, Buffer>();
  const director: Director = {
    async assign(update, spec) {
      const release = `release-${update}`;
      releases.push({ name: release, number: releases.length + 1, document: { spec } });
      const offer = signer.publish({ releases, assigned: release, update: { id: update } });
      sent.set(update, Buffer.from(message(offer)));
      await director.replay(update);
    },
    async replay(update) {
      const bytes = sent.get(update);
      if (bytes === undefined) throw new Error(`${update}: it was never assigned`);
      await fleet.publish(topic, bytes, true);
    },
  };
  return director;
}

/** Goes through what the fleet hears, event by event, each at most once. */
function eventCursor({ fleet }: Lab): { next(kind: string): Promise<Heard> } {
  let at = fleet.heard.length;
  return {
    async next(kind) {
      const isNext = ({ topic }: Heard) => topic.endsWith(`/event/${kind}`);
      await fleet.waitUntil(kind, (all) => all.slice(at).some(isNext));
      const found = fleet.heard.findIndex((heard, index) => index >= at && isNext(heard));
      at = found + 1;
      const [heard] = fleet.heard.slice(found);
      if (heard === undefined) throw new Error(`${kind}: heard, and lost`);
      return heard;
    },
  };
}
