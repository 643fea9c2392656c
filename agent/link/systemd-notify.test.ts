import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { createLog, type LogRecord, silentLog } from "#core/log.ts";
import { notifySystemd, watchdogIntervalMs } from "./systemd-notify.ts";

const asked = { NOTIFY_SOCKET: "/run/systemd/notify" };

t.test("systemd is told only when it asked, and has taken the notice then", async (t) => {
  const io = fakeIo(t.testdir(), { "systemd-notify": () => ({}) });
  await notifySystemd(io, silentLog, "READY=1");
  t.same(io.executed, []);
  await notifySystemd({ ...io, env: asked }, silentLog, "READY=1", "WATCHDOG=1");
  t.match(io.executed, [{ file: "systemd-notify", args: ["READY=1", "WATCHDOG=1"] }]);
});

t.test("a notice that fails is logged and nothing more", async (t) => {
  for (const programs of [{}, { "systemd-notify": () => ({ code: 1 }) }]) {
    const io = fakeIo(t.testdir(), programs);
    const records: LogRecord[] = [];
    await notifySystemd(
      { ...io, env: asked },
      createLog(io.clock, (record) => records.push(record)),
      "READY=1",
    );
    t.match(records, [{ level: "warning", event: "systemd.notify.failed" }]);
  }
});

t.test("signs of life come three times in the watchdog's time", async (t) => {
  const io = fakeIo(t.testdir());
  const interval = (usec?: string) => watchdogIntervalMs({ ...io, env: { WATCHDOG_USEC: usec } });
  t.equal(interval("60000000"), 20_000);
  for (const none of [undefined, "", "0", "-1", "soon", "1e99"])
    t.equal(interval(none), undefined, String(none));
});
