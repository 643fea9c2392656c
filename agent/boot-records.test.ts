import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { Fault } from "#core/fault.ts";
import { readBoots, rememberBoot } from "./boot-records.ts";
import type { Attempt } from "./datasources/discover.ts";
import type { MetadataAttempt } from "./datasources/metadata/service.ts";
import { noSearch, searchOf, withSearch } from "./datasources/search.ts";
import { boot, cloudConfig, content, prepare } from "./fake-boot.ts";

const attempt: MetadataAttempt = {
  ...{ method: "GET", url: "http://192.0.2.1/meta", from: null, atMs: 1, ms: 2_000 },
  ...{ status: null, error: "ETIMEDOUT" },
};
const tried: readonly Attempt[] = [
  {
    name: "Ec2",
    result: "used",
    place: "metadata service of Ec2",
    evidence: ["product uuid: x"],
    ms: 2_001.5,
  },
];
const search = searchOf(tried, [attempt]);

t.test("a boot is remembered with its stages and how the datasource was found", async (t) => {
  const { io, deps } = prepare(t, { discover: async () => ({ ...content(cloudConfig), search }) });
  const { bootId } = await boot(deps);
  const [remembered, ...others] = readBoots(io.files);
  t.same(others, []);
  t.match(remembered, { bootId, by: "boot", outcome: "committed", datasource: "NoCloud", search });
  t.match(remembered?.stages[1], { stage: "discover" });
  t.equal(JSON.stringify(remembered).includes("product uuid"), false, "and no more than that");
});

t.test("so is one whose datasource did not answer, with all that was asked", async (t) => {
  const unreachable = new Fault("datasource/unreachable", "nobody answers");
  const fault = Object.assign(unreachable, { attempts: [attempt] });
  const { io, deps } = prepare(t, {
    discover: async () => {
      throw withSearch(fault, tried);
    },
  });
  await boot(deps);
  t.match(readBoots(io.files), [{ outcome: "failed", datasource: null, search }]);
});

t.test("the newest are kept, and what is torn is forgotten", (t) => {
  const io = fakeIo(t.testdir());
  const times = { startedAt: "2026-01-01T00:00:00.000Z", finishedAt: "2026-01-01T00:00:01.000Z" };
  const record = { ...times, by: "boot", outcome: "unchanged", message: "m", stages: [] } as const;
  for (let index = 1; index <= 25; index++)
    rememberBoot(io, { ...record, bootId: String(index), datasource: null, search: noSearch });
  t.same(
    readBoots(io.files).map(({ bootId }) => bootId),
    Array.from({ length: 20 }, (_, index) => String(index + 6)),
  );
  io.files.write("/var/lib/firstlight/boots.json", '{"v":1,"boots":[');
  t.same(readBoots(io.files), []);
  const many = searchOf(
    [],
    Array.from({ length: 250 }, () => attempt),
  );
  t.match(many, { exchanges: { length: 200 }, unrecorded: 50 });
  t.end();
});
