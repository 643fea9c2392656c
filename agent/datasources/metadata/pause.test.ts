import t from "tap";
import { askedPauseMs, pauseMs } from "./pause.ts";

t.test("a pause grows, and chance has its part in it", async (t) => {
  const pauses = (chance: number) =>
    [1, 2, 3, 4, 5, 6, 40].map((attempt) => pauseMs(attempt, undefined, () => chance));
  t.same(pauses(0), [100, 200, 400, 800, 1_600, 2_500, 2_500]);
  t.same(pauses(0.5), [150, 300, 600, 1_200, 2_400, 3_750, 3_750]);
  t.same(pauses(1), [200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
  t.ok(new Set(Array.from({ length: 20 }, () => pauseMs(6, undefined))).size > 1, "by chance");
});

t.test("what is asked for is waited for, and no less each time", async (t) => {
  t.equal(pauseMs(1, 3_000), 3_000);
  t.same(
    [1, 2, 10, 40].map((attempt) => pauseMs(attempt, 0)),
    [1, 2, 512, 5_000],
  );
});

t.test("Retry-After is whole seconds or a date, and nothing else", async (t) => {
  const date = "Sun, 06 Nov 1994 08:49:37 GMT";
  const asked = (text: string) => askedPauseMs({ "retry-after": text, date }, 60_000);
  const good: Record<string, number> = {
    ...{ "0": 0, " 7 ": 7_000, "86400": 86_400_000 },
    ...{ "Sun, 06 Nov 1994 08:49:47 GMT": 10_000, "Sunday, 06-Nov-94 08:49:47 GMT": 10_000 },
    ...{ "Sun Nov  6 08:49:47 1994": 10_000, "Sat, 05 Nov 1994 08:49:47 GMT": 0 },
  };
  for (const [text, ms] of Object.entries(good)) t.equal(asked(text), ms, text);
  for (const text of ["0.5", "-5", "1, 2", "1.5s", "2026-01-01", "soon", ""])
    t.equal(asked(text), undefined, text);
});
