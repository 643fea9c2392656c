import fc from "fast-check";
import t from "tap";
import { cronIntl } from "./cron-intl.ts";

/** As node-cron asks for them. */
const asked: Readonly<Record<"parts" | "zone", Intl.DateTimeFormatOptions>> = {
  parts: {
    ...({ year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit" } as const),
    ...({ minute: "2-digit", second: "2-digit", weekday: "short", hour12: false } as const),
  },
  zone: { timeZoneName: "shortOffset" },
};

type Format = Pick<Intl.DateTimeFormat, "formatToParts">;
const Ours = cronIntl.DateTimeFormat as unknown as new (
  locale: string,
  options: Intl.DateTimeFormatOptions,
) => Format;

function partsIn(format: Format, date: Date): Record<string, string> {
  const parts = format.formatToParts(date).map(({ type, value }) => [type, value] as const);
  const { literal: _, ...found } = Object.fromEntries(parts);
  // Node-cron takes both for midnight.
  return found["hour"] === "24" ? { ...found, hour: "00" } : found;
}

t.test("of a date in UTC it says what Node says", async (t) => {
  const options = { ...asked.parts, timeZone: "UTC" };
  const [ours, nodes] = [new Ours("en-US", options), new Intl.DateTimeFormat("en-US", options)];
  const [min, max] = [new Date("1970-01-01T00:00:00Z"), new Date("2999-12-31T23:59:59.999Z")];
  const dates = fc.date({ min, max, noInvalidDate: true });
  const examples = ["2024-02-29T00:00:00Z", "2026-12-31T23:59:59.999Z", "2000-01-01T12:00:00Z"];
  fc.assert(
    fc.property(dates, (date) => {
      t.strictSame(partsIn(ours, date), partsIn(nodes, date), date.toISOString());
    }),
    { examples: examples.map((text) => [new Date(text)]), numRuns: 200 },
  );
});

t.test("UTC is no hour away from Greenwich, as Node says it", async (t) => {
  const options = { ...asked.zone, timeZone: "UTC" };
  const date = new Date("2026-07-01T12:00:00Z");
  const zone = (format: Format) => partsIn(format, date)["timeZoneName"];
  t.equal(zone(new Ours("en-US", options)), "GMT+0");
  t.equal(zone(new Intl.DateTimeFormat("en-US", options)), "GMT+0");
});

t.test("any other zone is Node's", async (t) => {
  const date = new Date("2026-07-01T22:30:00Z");
  for (const timeZone of ["Europe/Zurich", "Asia/Kolkata", undefined]) {
    const options = { ...asked.parts, ...(timeZone === undefined ? {} : { timeZone }) };
    const nodes = new Intl.DateTimeFormat("en-US", options);
    t.strictSame(partsIn(new Ours("en-US", options), date), partsIn(nodes, date), String(timeZone));
  }
  t.equal(
    partsIn(new Ours("en-US", { ...asked.parts, timeZone: "Europe/Zurich" }), date)["hour"],
    "00",
  );
  t.throws(() => new Ours("en-US", { timeZone: "Nowhere/None" }), RangeError);
});
