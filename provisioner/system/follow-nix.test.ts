import { readFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { fakeClock } from "#core/fake-io.ts";
import { fc } from "#core/fast-check.ts";
import { followLines as follow, toldActivity as told } from "./fake-follower.ts";
import { followNix } from "./follow-nix.ts";
import { buildFault } from "./nix-errors.ts";
import { parseNixLog } from "./nix-log.ts";
import type { SystemEvent } from "./system.ts";

/**
 * Written by the format of their version: of what no recording holds, as a cache on a network, another
 * machine that builds, and Lix.
 */
const fixtures = path.join(import.meta.dirname, "fixtures/nix-log");

function fixture(name: string): readonly string[] {
  return readFileSync(path.join(fixtures, name), "utf8").trimEnd().split("\n");
}

const cases = [
  {
    file: "nix-2.18-failed.txt",
    activities: [
      "= 0/3 0/0 0/0",
      "planned unit-sshd.service etc nixos-system-edge-25.11",
      "build unit-sshd.service",
      "= 0/3 0/0 0/0",
      "unit-sshd.service: unpackPhase",
      "unit-sshd.service: buildPhase",
      "= 0/2 0/0 0/0",
      "unit-sshd.service failed exit code 1",
      "= 0/0 0/0 0/0",
    ],
    fault:
      /unit-sshd\.service\.drv: exit code 1; last lines:\n@nix is not a message here\nchecking 100%\nsshd\.service: no such directive$/,
    errors: 2,
  },
  {
    file: "nix-2.24-fetched.txt",
    activities: [
      "= 0/0 0/0 0/13000000",
      "= 0/0 0/1 0/13000000",
      "planned unit-sshd.service unit-cron.service",
      "fetch linux-6.12.1 https://cache.example.org",
      "= 0/0 0/1 6500000/13000000",
      "linux-6.12.1 31000000/63000000",
      "= 0/0 0/1 13000000/13000000",
      "linux-6.12.1 63000000/63000000",
      "linux-6.12.1 done",
      "= 0/0 1/1 13000000/13000000",
      "unit-sshd.service waits",
      "build unit-sshd.service ssh://builder",
      "build unit-cron.service",
      "= 0/2 1/1 13000000/13000000",
      "unit-cron.service: installPhase",
      "= 1/2 1/1 13000000/13000000",
      "unit-sshd.service done",
      "= 2/2 1/1 13000000/13000000",
      "unit-cron.service done",
    ],
    fault: undefined,
    errors: 0,
  },
  {
    file: "lix-2.93-killed.txt",
    activities: [
      "build unit-sshd.service",
      "unit-sshd.service done",
      "unit-sshd.service failed signal 9 (Killed)",
    ],
    fault: /unit-sshd\.service\.drv: signal 9 \(Killed\); last lines:\ncc -c big\.c\nKilled$/,
    errors: 1,
  },
];

for (const { file, activities, fault, errors } of cases) {
  t.test(`${file} is followed from its first line to its fault`, async (t) => {
    const followed = follow(fixture(file));
    t.strictSame(followed.activities.map(told), activities);
    t.equal(followed.errors, errors);
    const failed = { code: 100, signal: null, stdout: "", stderr: followed.said() };
    const ended = { ...failed, timedOut: false, aborted: false, ms: 1 };
    if (fault !== undefined) t.match(buildFault(ended, followed.logOf).message, fault);
  });
}

t.test("a line of a builder is told as its own, one of Nix as Nix's", async (t) => {
  const { log } = follow(fixture("nix-2.18-failed.txt"));
  const own = log.filter(({ derivation }) => derivation !== null).map(({ line }) => line);
  t.strictSame(own, [
    "@nix is not a message here",
    "checking 100%",
    "sshd.service: no such directive",
  ]);
  t.match(log.at(-1), { line: /^error: 1 dependencies/, derivation: null });
});

t.test("what ends after it was called off is not done", async (t) => {
  const { activities } = follow(fixture("lix-2.93-killed.txt").slice(0, 5), AbortSignal.abort());
  t.match(activities.at(-1), { kind: "ended", end: "stopped" });
});

t.test("what a cache served wrongly is told", async (t) => {
  const line = (type: number) =>
    `@nix {"action":"result","fields":["/nix/store/x"],"id":1,"type":${type}}`;
  t.match(
    follow([line(102), line(103)]).log.map(({ line }) => line),
    [/trusted: \/nix\/store\/x/, /promised: \/nix\/store\/x/],
  );
});

t.test("bytes are told four times a second at most, their end always", async (t) => {
  const events: SystemEvent[] = [];
  const clock = fakeClock();
  const signal = new AbortController().signal;
  const { line } = followNix({ emit: (event) => events.push(event), signal, clock });
  line('@nix {"action":"start","id":1,"type":100,"fields":["/nix/store/x"],"text":""}');
  for (let done = 0; done <= 1000; done++) {
    line(`@nix {"action":"result","id":1,"type":105,"fields":[${done},1000,0,0]}`);
    clock.advance(1);
  }
  const bytes = events.flatMap((event) =>
    event.type === "build" && event.activity.kind === "bytes" ? [event.activity.done] : [],
  );
  t.strictSame(bytes, [250, 500, 750, 1000]);
});

t.test("activities are told apart where their numbers are larger than JavaScript's", async (t) => {
  t.match(parseNixLog('@nix {"action":"stop","id":18014398509481985}'), {
    is: "stop",
    id: "18014398509481985",
  });
  t.match(parseNixLog('@nix {"action":"msg","level":0,"msg":"\\"id\\": 7"}'), {
    is: "message",
    text: '"id": 7',
  });
});

t.test("whatever comes, it is told as clean text, and little of it is kept", async () => {
  const field = fc.oneof(fc.string({ unit: "binary" }), fc.double(), fc.constant(null));
  const message = fc.record(
    {
      action: fc.constantFrom("start", "stop", "result", "msg", "event"),
      id: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.string(), fc.constant(null)),
      type: fc.oneof(fc.constantFrom(100, 101, 102, 103, 104, 105, 106, 107, 108, 111), field),
      level: fc.oneof(fc.integer({ min: 0, max: 4 }), field),
      fields: fc.oneof(fc.array(field), fc.constantFrom({}, "text", 7)),
      msg: field,
      text: field,
    },
    { requiredKeys: [] },
  );
  const line = fc.oneof(
    message.map((value) => `@nix ${JSON.stringify(value)}`),
    fc.string({ unit: "binary" }),
    fc.json().map((text) => `@nix ${text}`),
    fc.constantFrom("@nix ", "@nix {", "@nix null", "@nix []", "@nix 7"),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 60 }), (lines) => {
      const { events, said } = follow(lines);
      const texts = JSON.stringify([events, said()]).replaceAll(/\\[nt]/g, "");
      return !/\\u00[01][0-9a-f]|\\[bfr]/.test(texts.replaceAll("\\\\", ""));
    }),
  );
});

t.test("of a flood only the end is kept", async (t) => {
  const log = (id: number, text: string) =>
    `@nix {"action":"result","fields":["${text}"],"id":${id},"type":101}`;
  const start = (id: number) =>
    `@nix {"action":"start","fields":["/nix/store/${id}.drv"],"id":${id},"text":"","type":105}`;
  const numbers = Array.from({ length: 200 }, (_, index) => index);
  const { logOf, said } = follow([
    ...numbers.flatMap((id) => [start(id), log(id, "x")]),
    ...numbers.map((line) => log(199, `line ${line}`)),
    ...numbers.map(() => "y".repeat(10_000)),
  ]);
  t.equal(logOf("/nix/store/0.drv").length, 0);
  t.equal(logOf("/nix/store/199.drv").length, 25);
  t.equal(logOf("/nix/store/199.drv").at(-1), "line 199");
  t.ok(said().length <= 1024 * 1024 + 200);
});
