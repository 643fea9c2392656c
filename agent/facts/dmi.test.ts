import t from "tap";
import { isoDate } from "./dmi.ts";

t.test("a BIOS date is month, day, year, and nothing else", async (t) => {
  const cases: readonly (readonly [string | null, string | null])[] = [
    ["08/01/2025", "2025-08-01"],
    ["12/31/99", "1999-12-31"],
    ["02/29/2024", "2024-02-29"],
    ["02/29/2023", null],
    ["31/12/2024", null],
    ["2024-03-29", null],
    ["Default string", null],
    ["", null],
    [null, null],
  ];
  for (const [text, date] of cases) t.equal(isoDate(text), date, String(text));
});
