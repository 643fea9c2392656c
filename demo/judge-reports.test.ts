import t from "tap";
import { judgeReports } from "./judge-reports.ts";

const said = (topic: string, payload: object = {}) => ({ topic: `i-board/${topic}`, payload });
const finished = (seq: number, outcome: string) =>
  said("event/boot.finished", { seq, body: { outcome } });
const states = ["status", "about", "reported"].map((topic) => said(topic));
const played = new Map([["board", ["committed", "rolled-back"]]]);

/** What does not hold. */
function missing(received: Parameters<typeof judgeReports>[0]): readonly string[] {
  return judgeReports(received, played).flatMap(({ what, holds }) => (holds ? [] : [what]));
}

t.test("every boot that was played is reported, in its order, and no other", async (t) => {
  const all = [...states, finished(3, "committed"), finished(9, "rolled-back")];
  const boots = ["board: every boot was reported (committed, rolled-back)"];
  t.same(missing(all), []);
  t.same(missing([...all, finished(3, "committed")]), [], "an event may come twice");
  t.same(missing(all.slice(0, -1)), boots, "the second is missing");
  t.same(missing([...all, finished(12, "unchanged")]), boots, "one that was not played");
  t.same(missing([...states, finished(3, "rolled-back"), finished(9, "committed")]), boots);
  t.same(missing(all.slice(1)), ["board: status was reported"]);
});
