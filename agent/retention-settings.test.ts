import t from "tap";
import { retentionLimits } from "./retention-settings.ts";

t.test("limits are those of the settings, else those that suit most machines", async (t) => {
  const day = 86_400_000;
  t.strictSame(retentionLimits({}), {
    keep: 10,
    maxAgeMs: 90 * day,
    minFreeBytes: 2 ** 30,
    garbage: "needed",
  });
  const generations = { keep: 3, maxAge: "7d", minFreeSpace: "512M", garbage: "never" } as const;
  t.strictSame(retentionLimits({ generations }), {
    keep: 3,
    maxAgeMs: 7 * day,
    minFreeBytes: 2 ** 29,
    garbage: "never",
  });
});
