import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { prettyJson } from "#core/canonical-json.ts";
import { hostIo } from "#core/host-io.ts";
import type { ExecResult, Io } from "#core/io.ts";
import { runProcess } from "#core/run-process.ts";
import { type NodeTopics, nodeTopics } from "#protocol/topics.ts";
import { type FakeFleet, type FakeRelease, fakeFleet } from "#protocol/trust/fake-fleet.ts";
import { message } from "#protocol/trust/sign/message.ts";
import { type Broker, temporaryDirectory } from "../brokers.ts";
import { type FleetListener, type Heard, type ListenOptions, listen } from "../fleet-listener.ts";
import { qemuQ35 } from "../machines/qemu-q35.ts";
import { writeMachine } from "../machines/write-machine.ts";
import { type RootSide, startRootSide } from "../root-side.ts";
import { programs } from "../story.ts";

// A node of a fleet in a directory, each of its parts in the process that it has on a machine.

interface Scope {
  teardown(end: () => unknown): unknown;
}

/** What the image of a node says, beside what every node of these tests has. */
export interface UpdateNodeOptions {
  readonly name?: string;
  /** Further settings of `report.mqtt`. */
  readonly mqtt?: object;
  /** Other settings. */
  readonly settings?: object;
  /** Of who listens for the fleet. */
  readonly listener?: ListenOptions;
  /** Lines of the cloud's user-data. */
  readonly userData?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Log of the root side: `debug` tells what else would be lost. */
  readonly args?: readonly string[];
}

/** A node, the fleet that signs for it, and who listens for the fleet at the broker. */
export interface UpdateNode {
  readonly root: string;
  readonly io: Io;
  readonly topics: NodeTopics;
  readonly signer: FakeFleet;
  readonly fleet: FleetListener;
  /** Starts the root side, which stays. */
  startRootSide(env?: Readonly<Record<string, string>>): Promise<RootSide>;
  /** Starts the network side. */
  startAgent(env?: Readonly<Record<string, string>>): Agent;
  firstlight(...args: readonly string[]): Promise<ExecResult>;
  boot(): Promise<ExecResult>;
  /** What the unit of the update runs. */
  update(): Promise<ExecResult>;
  /** Signs the next release and makes the message that assigns it. */
  sign(id: string, spec: object): Buffer;
  /** The same of a release that says all of it. */
  signDocument(id: string, document: object): Buffer;
  /** Writes a file of the node. */
  write(file: string, text: string): void;
  /** Publishes what a node is to become; the broker keeps it. */
  push(bytes: Uint8Array): Promise<void>;
  /** Text of a file on the node. */
  read(file: string): string | undefined;
  /** Waits until it was assigned this. */
  assigned(id: string): Promise<void>;
  /** The next event of this kind, each at most once. */
  event(kind: string, fits?: (heard: Heard) => boolean): Promise<Heard>;
}

/** The network side in a process of its own. */
export interface Agent {
  readonly process: ChildProcess;
  /** Every line that it has logged. */
  readonly lines: readonly string[];
  kill(): Promise<void>;
  /** Ends it as systemd does. */
  stop(): Promise<void>;
}

/** Judged at once. */
export const quickHealth = { passes: 1, interval: "1ms", timeout: "1s" };
const rootFile = "/etc/firstlight/root.json";
const assignedFile = "/var/lib/firstlight/update/assigned.json";
const timeoutMs = 120_000;

/** A node that has never booted; its parts end with the test. */
export async function updateNode(
  t: Scope,
  broker: Pick<Broker, "host" | "port">,
  options: UpdateNodeOptions = {},
): Promise<UpdateNode> {
  const { name = "edge-17", mqtt = {}, listener, userData = "", env = {}, args = [] } = options;
  const { settings = {} } = options;
  const root = temporaryDirectory({ teardown: (end) => void t.teardown(end) }, "update-node-");
  const signer = fakeFleet({ nowMs: Date.now(), node: { fleet: "plant-7", node: name } });
  const topics = nodeTopics(signer.node);
  const put = (file: string, text: string) => {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  };
  writeMachine(root, qemuQ35);
  put("var/lib/cloud/seed/nocloud/meta-data", "instance-id: i-1\n");
  put("var/lib/cloud/seed/nocloud/user-data", `#cloud-config\n${userData}${healthyLine}`);
  put(rootFile, prettyJson(signer.firstRoot));
  const { host, port } = broker;
  const report = { ...signer.node, mqtt: { host, port, acknowledge: "server", ...mqtt } };
  put(
    "etc/firstlight/settings.json",
    prettyJson({ stateVersion: "25.11", fleet: { root: rootFile }, report, ...settings }),
  );
  const io = hostIo({ root });
  const fleet = await listen({ teardown: (end) => void t.teardown(end) }, broker, listener);
  fleet.acknowledge();
  const releases: FakeRelease[] = [];
  let heard = 0;
  const run = (argv: readonly string[]) =>
    runProcess(
      { file: process.execPath, args: [programs.source, ...argv, ...args], timeoutMs },
      { ...process.env, ...env },
    );
  const node: UpdateNode = {
    ...{ root, io, topics, signer, fleet },
    startRootSide: (more = {}) =>
      startRootSide(t, { root, env: { ...env, ...more } }, ["--driver", "dry", "--idle", "1h"]),
    startAgent: (more = {}) => startAgent(t, root, { ...env, ...more }),
    firstlight: (...argv) => run([...argv, "--root", root]),
    boot: () => run(["boot", "--root", root, "--driver", "dry"]),
    update: () => run(["update", "run", "--root", root, "--driver", "dry"]),
    write: put,
    sign: (id, spec) =>
      node.signDocument(id, { spec: { version: 1, health: quickHealth, ...spec } }),
    signDocument(id, document) {
      const release = `edge-${id}`;
      releases.push({ name: release, number: releases.length + 1, document });
      const offer = signer.publish({ releases, assigned: release, update: { id } });
      return Buffer.from(message(offer));
    },
    push: (bytes) => fleet.publish(topics.of("desired"), Buffer.from(bytes), true),
    read: (file) => io.files.readText(file),
    async assigned(id) {
      const isThere = () => io.files.readText(assignedFile)?.includes(`"updateId": "${id}"`);
      const until = io.clock.monotonicMs() + timeoutMs;
      while (isThere() !== true) {
        if (io.clock.monotonicMs() > until) throw new Error(`${id} was not assigned`);
        await io.clock.sleep(5);
      }
    },
    async event(kind, fits = () => true) {
      const topic = topics.with("event", kind);
      const isNext = (each: Heard) => each.topic === topic && fits(each);
      await fleet.waitUntil(kind, (all) => all.slice(heard).some(isNext));
      heard = fleet.heard.findIndex((each, index) => index >= heard && isNext(each)) + 1;
      return fleet.heard[heard - 1] as Heard;
    },
  };
  return node;
}

const healthyLine = `firstlight: { health: ${JSON.stringify(quickHealth)} }\n`;

function startAgent(t: Scope, root: string, env: Readonly<Record<string, string>>): Agent {
  const child = spawn(process.execPath, [programs.source, "agent", "--root", root], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => void lines.push(line));
  const end = async (signal: "SIGKILL" | "SIGTERM") => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill(signal);
    await gone;
  };
  t.teardown(() => end("SIGKILL"));
  return { process: child, lines, kill: () => end("SIGKILL"), stop: () => end("SIGTERM") };
}
