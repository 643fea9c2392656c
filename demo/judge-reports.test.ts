import t from "tap";
import type { Received } from "./broker.ts";
import { judgeReports, type Played } from "./judge-reports.ts";

const secret = "the-secret";

/** What a machine sends of a boot, as the broker receives it. */
function reportOf(machine: string, boot: number, outcome: string): readonly Received[] {
  const message = (topic: string, body: object): Received => ({
    topic: `i-${machine}/${topic}`,
    payload: { v: 1, id: `${machine} ${boot} ${topic} ${JSON.stringify(body)}`, body },
  });
  const trial = [message("event/trial.finished", { result: outcome })];
  return [
    message("status", { online: true, reason: "connected", session: boot }),
    message("about", { session: boot }),
    message("event/boot.started", { by: "boot" }),
    ...(outcome === "unchanged" ? [] : trial),
    message("event/boot.finished", { outcome }),
    message("reported", { last: { outcome } }),
    message("status", { online: false, reason: "reported", session: boot }),
  ];
}

const played: readonly Played[] = [
  { machine: "laptop", outcome: "committed" },
  { machine: "board", outcome: "committed" },
  { machine: "board", outcome: "rolled-back" },
  { machine: "laptop", outcome: "unchanged" },
];
const received = played.flatMap(({ machine, outcome = "" }, index) =>
  reportOf(machine, index, outcome),
);

/** What does not hold. */
function failures(messages: readonly Received[], boots = played): readonly string[] {
  return judgeReports(boots, messages, secret)
    .filter(({ holds }) => !holds)
    .map(({ what }) => what);
}

t.test("all that was played was reported", async (t) => {
  t.same(failures(received), []);
  t.same(failures([...received, ...received]), [], "and delivered twice it is the same");
  t.equal(judgeReports(played, received, secret).length, 2 * 8 + 1);
});

t.test("one missing message, whichever it is, is a promise that did not hold", async (t) => {
  for (const missing of received) {
    const others = received.filter((message) => message !== missing);
    const machine = missing.topic.startsWith("i-board") ? "board" : "laptop";
    const said = failures(others);
    t.ok(said.length > 0, JSON.stringify(missing.payload));
    t.ok(
      said.every((what) => what.startsWith(`${machine}: `)),
      said.join("; "),
    );
  }
});

t.test("a report too many, another outcome and another order are found", async (t) => {
  t.not(failures([...received, ...reportOf("board", 9, "rolled-back")]).length, 0);
  const other = played.map((boot) => ({ ...boot, outcome: "committed" }));
  t.match(failures(received, other), [/^laptop: its boots/, /^laptop: its trials/]);
  const turned = failures(received.toReversed());
  t.ok(turned.includes("board: its boots were reported as committed, rolled-back"));
  t.not(failures(received, [...played, { machine: "cloud", outcome: undefined }]).length, 0);
});

t.test("a secret in any message is found", async (t) => {
  const leaky = { topic: "i-board/about", payload: { id: "x", body: { motd: secret } } };
  t.same(failures([...received, leaky]), ["no secret was sent"]);
});
