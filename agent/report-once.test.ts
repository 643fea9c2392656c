import { chownSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { silentLog } from "#core/log.ts";
import { reportOnce } from "./report-once.ts";

const skip = process.getuid?.() === 0 ? false : "SKIPPED: files of others take root";

t.test("a report that cannot begin keeps nobody waiting for its deadline", { skip }, async (t) => {
  const root = t.testdir({ var: { lib: { "firstlight-agent": {} } } });
  chownSync(path.join(root, "var/lib/firstlight-agent"), 65_301, 65_301);
  const io = fakeIo(root);
  const waiting = new Set<AbortSignal>();
  const sleep = (_ms: number, signal?: AbortSignal) => {
    if (signal !== undefined) waiting.add(signal);
    return new Promise<void>(() => {});
  };
  const options = {
    ...{ io: { ...io, clock: { ...io.clock, sleep } }, log: silentLog, timeoutMs: 60_000 },
    ...{ settings: {} as never, readers: {} as never },
  };
  await t.rejects(reportOnce(options), { code: "link/outbox-foreign" });
  t.not(waiting.size, 0);
  t.ok([...waiting].every(({ aborted }) => aborted));
});
