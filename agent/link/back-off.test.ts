import t from "tap";
import { backOffMs } from "./back-off.ts";

const bounds = { backOffFirstMs: 1_000, backOffMostMs: 120_000 };
const chance = (byte: number) => ({
  uuid: () => "",
  bytes: (length: number) => new Uint8Array(length).fill(byte),
});

t.test("waits double up to the most, between a half and the whole by chance", async (t) => {
  const cases = [
    [1, 500, 1_000],
    [2, 1_000, 2_000],
    [5, 8_000, 16_000],
    [8, 60_000, 120_000],
    [1_000_000, 60_000, 120_000],
  ] as const;
  for (const [failures, least, most] of cases) {
    t.equal(backOffMs(failures, bounds, chance(0)), least, `${failures} failures, least`);
    t.equal(backOffMs(failures, bounds, chance(255)), most, `${failures} failures, most`);
  }
});
