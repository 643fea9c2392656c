import t, { type Test } from "tap";
import { needs } from "#agent/datasources/images/make-images.ts";
import { openOutbox } from "#agent/link/outbox.ts";
import { openSpool } from "#agent/link/spool.ts";
import { silentLog } from "#core/log.ts";
import { type Broker, brokerMissing, startBroker } from "./brokers.ts";
import { type FleetListener, listen } from "./fleet-listener.ts";
import { skipWithoutNix } from "./nix-machine.ts";
import { type Run, type StoryNode, storyNode } from "./story.ts";
import { cloudConfig } from "./story-documents.ts";
import { inconsistencies, leftovers, standing } from "./story-state.ts";

t.setTimeout(600_000);

const skip = skipWithoutNix() || brokerMissing("mosquitto") || (needs("xorriso").skip ?? false);
const passwords = { "edge-1": "at the broker: 7rue", fleet: "the server's" };

/** Of the effects before the report, which the campaign of all effects has: so many, evenly spread. */
const sampled = 5;
/** The first effect of a report: the events are written down. */
const reportBegins = "create /var/lib/firstlight/report/events/";

/** A change that is to be reported, to be begun from the same machine again and again. */
interface Campaign {
  readonly node: StoryNode;
  readonly fleet: FleetListener;
  /** The machine before it. */
  readonly start: string;
  /** Files of the spool that its start holds. */
  readonly spooled: number;
  /** Every effect of it, in order. */
  readonly effects: readonly string[];
}

t.test("boot --report killed at every effect of its report", { skip }, async (t) => {
  const campaign = await prepare(t);
  const { effects } = campaign;
  const first = effects.findIndex((name) => name.startsWith(reportBegins));
  t.ok(first > 0, "the events are written down");
  for (const part of [/^outbox append /, /^outbox session/, /^publish .*\/event\//, /^outbox ack/])
    t.ok(
      effects.slice(first).some((name) => part.test(name)),
      String(part),
    );

  const before = Array.from({ length: sampled }, (_, at) => Math.floor((at * first) / sampled) + 1);
  const within = effects.slice(first).map((_, at) => first + at + 1);
  const killedAt: string[] = [];
  for (const effect of [...before, ...within]) {
    const heardBefore = campaign.fleet.heard.length;
    const killed = await bootAndKill(campaign, effect);
    t.match(killed, { code: null, signal: "SIGKILL" }, `killed at effect ${effect}`);
    killedAt.push(lastEffect(killed));
    t.same(await wrongAfterBoot(campaign, heardBefore), [], `${effect} ${lastEffect(killed)}`);
  }
  const seen = (part: RegExp) => killedAt.filter((name) => part.test(name)).length;
  t.ok(seen(/^publish .*\/event\//) >= 2, "between one event and the next");
  t.ok(seen(/^outbox /) >= 3, "with the events in the outbox");
  t.comment(`killed at ${before.length} effects before the report and at ${within.length} of it`);
});

t.test("the campaign sees an event that does not arrive", { skip }, async (t) => {
  const campaign = await prepare(t);
  const { node, fleet, effects } = campaign;
  const heardBefore = fleet.heard.length;
  await bootAndKill(campaign, effects.findIndex((name) => name.startsWith("publish ")) + 1);
  const outbox = await openOutbox(node.io, silentLog);
  const last = outbox.pending(0, 1000).at(-1)?.seq ?? 0;
  outbox.acknowledge(last);
  outbox.close();
  const wrong = await wrongAfterBoot(campaign, heardBefore);
  t.ok(
    wrong.some((text) => text.startsWith("not reported: trial.finished")),
    wrong.join("; "),
  );
});

/** A node that has reported its first generation and has been given another user-data. */
async function prepare(t: Test): Promise<Campaign> {
  const broker = await startBroker(t, "mosquitto", { users: passwords });
  const fleet = await listen(t, broker, { username: "fleet", password: passwords.fleet });
  const node = await storyNode(t);
  node.insert("iso", { instanceId: "i-1", userData: document(broker, "the first") });
  t.match(await report(node), { code: 0 }, "a first generation, reported");
  node.insert("iso", { instanceId: "i-1", userData: document(broker, "the second") });
  const start = node.machine.snapshot();
  const spooled = spoolFiles(node).length;
  const counted = await report(node, { FIRSTLIGHT_COUNT_EFFECTS: "1" });
  t.match(counted, { code: 0 }, "a change, reported");
  return { node, fleet, start, spooled, effects: effectsOf(counted) };
}

function document({ port }: Broker, motd: string): string {
  const checks = [{ type: "file", path: "/etc/motd" }] as const;
  return cloudConfig({ motd, checks, broker: { port, password: passwords["edge-1"] } });
}

function report(node: StoryNode, env: Readonly<Record<string, string>> = {}): Promise<Run> {
  return node.firstlight(["boot", "--report"], { program: "bundle", env });
}

/** From the start: killed immediately before an effect. */
function bootAndKill({ node, start }: Campaign, effect: number): Promise<Run> {
  node.machine.restore(start);
  const env = { FIRSTLIGHT_COUNT_EFFECTS: "1", FIRSTLIGHT_DIE_AT_EFFECT: String(effect) };
  return report(node, env);
}

function effectsOf({ stderr }: Run): readonly string[] {
  return [...stderr.matchAll(/^effect [0-9]+ (.*)$/gm)].map(([, name = ""]) => name);
}

function lastEffect(run: Run): string {
  return effectsOf(run).at(-1) ?? "none";
}

function spoolFiles({ io }: StoryNode) {
  return [...openSpool(io.files, silentLog).after(0)];
}

/**
 * The next `boot --report`, unharmed; what is wrong then with the node, and with what the fleet's side
 * has heard since a number of messages: every event that the root side wrote down must be among them,
 * once or more and always under its own number, and the end of the trial must be one of them.
 */
async function wrongAfterBoot(
  { node, fleet, spooled }: Campaign,
  heardBefore: number,
): Promise<readonly string[]> {
  const { code, stderr } = await report(node);
  const problems: string[] = code === 0 ? [] : [`ended with ${code}: ${stderr.slice(-300)}`];
  const farewell = () =>
    fleet.heard.slice(heardBefore).some(({ body }) => body["reason"] === "reported");
  await fleet.waitUntil("the farewell", farewell).catch((error) => problems.push(String(error)));
  const heard = fleet.heard
    .slice(heardBefore)
    .filter(({ topic }) => topic.includes("/event/"))
    .map(({ topic, envelope, body }) => {
      return { id: envelope["id"], seq: envelope.seq, kind: topic.split("/event/")[1], body };
    });

  const told = spoolFiles(node).filter(({ number }) => number > spooled);
  for (const { id, kind } of told.flatMap(({ events }) => events)) {
    const numbers = new Set(heard.filter((event) => event.id === id).map(({ seq }) => seq));
    if (numbers.size === 0) problems.push(`not reported: ${kind}`);
    if (numbers.size > 1) problems.push(`${kind}: numbers ${[...numbers].join(", ")}`);
  }
  const ids = (kind: string, result: (body: Readonly<Record<string, unknown>>) => boolean) =>
    new Set(heard.filter((event) => event.kind === kind && result(event.body)).map(({ id }) => id))
      .size;
  const trials = ids("trial.finished", (body) => body["generation"] === 2);
  if (trials !== 1) problems.push(`${trials} ends of the trial of generation 2 were heard`);
  const isSecond = (body: Readonly<Record<string, unknown>>) =>
    body["generation"] === 2 && ["committed", "unchanged"].includes(String(body["outcome"]));
  if (ids("boot.finished", isSecond) === 0) problems.push("no boot with generation 2 was heard of");

  const outbox = await openOutbox(node.io, silentLog);
  if (outbox.size().events > 0) problems.push(`${outbox.size().events} events still wait`);
  outbox.close();
  const { generation, generations } = standing(node);
  if (generation !== 2 || generations !== 2) problems.push(`generation ${generation}`);
  const motd = node.io.files.readText("/etc/motd");
  if (motd !== "the second\n") problems.push(`/etc/motd: ${motd}`);
  return [...problems, ...inconsistencies(node), ...leftovers(node)];
}
