import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { Fault } from "#core/fault.ts";
import { silentLog } from "#core/log.ts";
import type { EnrolOutcome } from "./enrol.ts";
import { untilEnrolled } from "./until-enrolled.ts";

const enrolled = {
  ...{ kind: "enrolled", node: "edge-17", fleet: "demo", renewMs: 1, untilMs: 2 },
} as const satisfies EnrolOutcome;
const pending = (code: string) => ({ kind: "pending", code, retryMs: 10_000 }) as const;
const away = new Fault("enroll/unreachable", "no network");

/** Answers in turn; the last one again and again. */
function answers(t: { testdir(): string }, steps: readonly (EnrolOutcome | Fault)[]) {
  const io = fakeIo(t.testdir());
  const codes: string[] = [];
  let tries = 0;
  const { signal } = new AbortController();
  const attempt = async () => {
    const step = steps[Math.min(tries, steps.length - 1)];
    tries += 1;
    if (step === undefined || step instanceof Fault) throw step;
    return step;
  };
  const options = {
    io,
    log: silentLog,
    signal,
    attempt,
    onCode: (code: string) => codes.push(code),
  };
  return { io, codes, options, tries: () => tries };
}

t.test(
  "a server that is away is waited for, longer each time, and a person as long as it takes",
  async (t) => {
    const { io, codes, options, tries } = answers(t, [
      ...[away, away, pending("AAAA-BBBB"), away, pending("AAAA-BBBB"), pending("CCCC-DDDD")],
      enrolled,
    ]);
    t.strictSame(await untilEnrolled({ ...options, mostFailures: 3 }), enrolled);
    t.equal(tries(), 7);
    t.strictSame(codes, ["AAAA-BBBB", "CCCC-DDDD"], "each code is told once");
    t.ok(io.clock.monotonicMs() >= 30_000 + 1_000 + 2_000 + 1_000);
  },
);

t.test("too many failures in a row are left to whoever starts it again", async (t) => {
  const { options, tries } = answers(t, [away]);
  await t.rejects(untilEnrolled({ ...options, mostFailures: 5 }), { code: "enroll/unreachable" });
  t.equal(tries(), 5);
});

t.test("what time does not heal, and the signal, end it at once", async (t) => {
  const broken = answers(t, [new Fault("enroll/state-unreadable", "torn")]);
  await t.rejects(untilEnrolled(broken.options), { code: "enroll/state-unreadable" });
  t.equal(broken.tries(), 1);
  const fault = new Fault("enroll/token-used", "used");
  const refused = answers(t, [{ kind: "refused", fault }]);
  t.match(await untilEnrolled(refused.options), { kind: "refused" });
  const ended = AbortSignal.abort(new Fault("cli/interrupted", "ended"));
  await t.rejects(untilEnrolled({ ...refused.options, signal: ended }), {
    code: "cli/interrupted",
  });
});
