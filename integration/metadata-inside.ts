// Serves a cloud's metadata at its real addresses and asks the program what it finds there, inside of a
// network namespace that has them: node metadata-inside.ts OPTIONS

import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { ec2Answers, onlyWith } from "#agent/datasources/clouds/fake-ec2.ts";
import { hetznerAnswers } from "#agent/datasources/clouds/fake-hetzner.ts";
import { fakeService } from "#agent/datasources/metadata/fake-service.ts";
import { programs } from "./story.ts";

/** What the parent asks of the child, as JSON in its argument. */
export interface InsideOptions {
  readonly cloud: "ec2" | "hetzner";
  /** Addresses that answer at port 80. */
  readonly hosts: readonly string[];
  /** The machine that asks. */
  readonly root: string;
}

/** What came of it, as JSON on standard output. */
export interface InsideAnswer {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Requests by address. */
  readonly requests: Readonly<Record<string, readonly string[]>>;
}

const { cloud, hosts, root } = JSON.parse(process.argv[2] ?? "{}") as InsideOptions;
const ends: (() => void)[] = [];
const scope = { teardown: (end: () => void) => void ends.push(end) };
const fakes = {
  ec2: { answers: ec2Answers, guard: onlyWith(() => "t0ken") },
  hetzner: { answers: hetznerAnswers, guard: () => undefined },
} as const;
const { answers, guard } = fakes[cloud];
const services = await Promise.all(
  hosts.map((host) => fakeService(scope, answers, { host, port: 80, guard })),
);
const args = [programs.bundle, "discover", "--json", "--root", root];
const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"], timeout: 45_000 });
const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
if (child.exitCode === null) await once(child, "exit");
const requests = Object.fromEntries(
  hosts.map((host, index) => [host, services[index]?.requests ?? []]),
);
const answer: InsideAnswer = { code: child.exitCode, stdout, stderr, requests };
console.log(JSON.stringify(answer));
for (const end of ends) end();
