// Serves a cloud's metadata at its real addresses and asks the program what it finds there, inside of a
// network namespace that has them: node metadata-inside.ts OPTIONS

import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { ec2Answers, onlyWith } from "#agent/datasources/clouds/fake-ec2.ts";
import { hetznerAnswers } from "#agent/datasources/clouds/fake-hetzner.ts";
import { type FakeAnswer, fakeService } from "#agent/datasources/metadata/fake-service.ts";
import { programs } from "./story.ts";

/** What the parent asks of the child, as JSON in its argument. */
export interface InsideOptions {
  readonly cloud: "ec2" | "hetzner";
  /** Addresses that answer at port 80. */
  readonly hosts: readonly string[];
  /** Address at which another answers, before the others do, and how. */
  readonly rogue?: { readonly host: string; readonly as: keyof typeof rogues };
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

/** What is not the service of this machine: status and body of every answer, or none at all. */
const rogues = {
  page: [200, "<!doctype html><html><body>Log in</body></html>"],
  refusal: [403, "no"],
  nothing: [404, ""],
  failure: [503, ""],
  bytes: [200, Buffer.from([0xff, 0xfe, 0, 0x9f, 0x92, 0x96])],
  silence: undefined,
  /** The same cloud's service of another machine. */
  neighbour: undefined,
} as const;

const { cloud, hosts, root, rogue } = JSON.parse(process.argv[2] ?? "{}") as InsideOptions;
const ends: (() => void)[] = [];
const scope = { teardown: (end: () => void) => void ends.push(end) };
const fakes = {
  ec2: { answers: ec2Answers, guard: onlyWith(() => "t0ken") },
  hetzner: { answers: hetznerAnswers, guard: () => undefined },
} as const;
const { answers, guard } = fakes[cloud];
const { promise: asked, resolve: wasAsked } = Promise.withResolvers<void>();
const ofNeighbour = JSON.parse(
  JSON.stringify(answers).replaceAll("123456", "654321"),
) as typeof answers;
const answerOfRogue: FakeAnswer = (request, response) => {
  if (rogue?.as === "neighbour") {
    response.once("finish", wasAsked);
    const text = ofNeighbour[request.url ?? ""];
    response.writeHead(text === undefined ? 404 : 200).end(text);
    return;
  }
  const [status, body] = rogues[rogue?.as ?? "silence"] ?? [];
  if (status === undefined) return wasAsked();
  response.once("finish", wasAsked);
  response.writeHead(status).end(body);
};
const first =
  rogue &&
  (await fakeService(scope, {}, { host: rogue.host, port: 80, guard: () => answerOfRogue }));
const services = await Promise.all(
  hosts.map((host) =>
    fakeService(scope, answers, { host, port: 80, guard, after: first && asked }),
  ),
);
const args = [programs.bundle, "discover", "--json", "--root", root];
const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"], timeout: 45_000 });
const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
if (child.exitCode === null) await once(child, "exit");
const requests = Object.fromEntries([
  ...hosts.map((host, index) => [host, services[index]?.requests ?? []]),
  ...(rogue === undefined ? [] : [[rogue.host, first?.requests ?? []]]),
]);
const answer: InsideAnswer = { code: child.exitCode, stdout, stderr, requests };
console.log(JSON.stringify(answer));
for (const end of ends) end();
