import t from "tap";
import { openSpool } from "#agent/link/spool.ts";
import { Fault } from "#core/fault.ts";
import { silentLog } from "#core/log.ts";
import { type FakeNode, type failing, failingOnTrial, fakeNode, sick } from "./fake-update.ts";
import { readCommitted, readStaged } from "./kept-release.ts";
import { assignedFile, documentsDirectory } from "./places.ts";
import { readUpdateState } from "./read-state.ts";
import { writeWish } from "./wishes.ts";

t.setTimeout(300_000);

const made = ["RECEIVED", "VERIFYING", "SCHEDULED", "DOWNLOADING", "BUILDING", "STAGED"];
const done = [...made, "INSTALLING", "TESTING", "COMMITTING", "SUCCEEDED"];

/** What the network side finds in the spool of updates. */
function told(node: FakeNode) {
  const spooled = [...openSpool(node.start().io.files, silentLog).after(0)];
  return spooled
    .flatMap(({ events }) => events)
    .filter(({ kind }) => kind === "update.changed")
    .map(({ body }) => body as { from: string; to: string; seq: number; code?: string });
}

t.test("an update goes the whole way, is told once, and stays", async (t) => {
  const node = await fakeNode(t);
  t.match(await node.run(), { update: { state: "IDLE" } }, "nothing was assigned yet");
  node.assign();
  t.match(await node.run(), { update: { state: "SUCCEEDED", attempt: 1 } });
  t.strictSame(node.states(), done);
  const { files } = node.start().io;
  t.match(readCommitted(files), { updateId: "u-1", release: { name: "edge-1" } });
  t.equal(readStaged(files), undefined);
  t.match(readUpdateState(files), { updateId: "u-1", release: "edge-1", state: "SUCCEEDED" });
  t.strictSame(
    told(node).map(({ to }) => to),
    done,
  );
  t.equal(node.m.running(), node.m.bootDefault());
  t.match(await node.run(), { update: { state: "SUCCEEDED" } }, "it is done once");
  t.equal(told(node).length, done.length);

  node.m.cutPower();
  const before = node.m.running();
  t.match(await node.boot(), { outcome: "unchanged" });
  node.userData = "#cloud-config\nhostname: another\n";
  t.match(await node.boot(), { outcome: "unchanged" }, "the cloud's user-data counts no more");
  t.equal(node.m.running(), before);
});

t.test("one that is not healthy is taken back, told, held back, and not tried again", async (t) => {
  const node = await fakeNode(t);
  const before = node.m.running();
  node.assign({ spec: { health: sick } });
  const probe = failingOnTrial(node.m);
  t.match(await node.run({ probe }), {
    update: { state: "ROLLED_BACK", code: "update/not-healthy", reason: /ready: must exist/ },
  });
  t.equal(node.m.running(), before);
  t.strictSame(node.states().slice(-3), ["TESTING", "ROLLING_BACK", "ROLLED_BACK"]);
  t.equal(readStaged(node.start().io.files), undefined);
  t.match(await node.boot({ probe }), { outcome: "unchanged" }, "a boot asks for what was before");
  node.assign({ id: "u-2", spec: { health: sick } });
  t.match(await node.run({ probe }), {
    update: { state: "REJECTED", code: "update/release-denied" },
  });
  node.assign({ id: "u-3", name: "edge-2", number: 2 });
  t.match(
    await node.run({ probe }),
    { update: { state: "SUCCEEDED" } },
    "the next good one is taken",
  );
});

t.test("one that takes a restart goes on in the next boot, and follows it", async (t) => {
  const node = await fakeNode(t);
  node.assign({ spec: { hostname: "kernel-new" } });
  t.match(await node.run(), { waits: { why: /restart/ }, update: { state: "REBOOTING" } });
  t.match(await node.run(), { update: { state: "REBOOTING" } }, "it waits for that");
  t.ok(node.restart());
  t.match(await node.boot(), { outcome: "committed" });
  t.strictSame(node.states().slice(-4), ["REBOOTING", "TESTING", "COMMITTING", "SUCCEEDED"]);
  t.match(readCommitted(node.start().io.files), { updateId: "u-1" });
  t.match(await node.boot(), { outcome: "unchanged" });
  t.match(await node.run(), { update: { state: "SUCCEEDED" } });
});

t.test("one that takes a restart and is sick then leads back", async (t) => {
  const node = await fakeNode(t);
  const before = node.m.running();
  node.assign({ spec: { hostname: "kernel-new", health: sick } });
  t.match(await node.run(), { update: { state: "REBOOTING" } });
  t.ok(node.restart());
  const probe = failingOnTrial(node.m);
  t.match(await node.boot({ probe }), { outcome: "rebooting" });
  t.equal(node.states().at(-1), "ROLLBACK_REBOOTING");
  t.ok(node.restart());
  await node.boot({ probe });
  t.equal(node.states().at(-1), "ROLLED_BACK");
  t.equal(node.m.running(), before);
});

t.test("a trial that never came up is rolled back by the journal's word", async (t) => {
  const node = await fakeNode(t);
  const before = node.m.running() ?? "";
  node.assign({ spec: { hostname: "kernel-new" } });
  await node.run();
  node.m.bootNext(before);
  node.m.cutPower();
  await node.boot();
  await node.run();
  t.equal(node.states().at(-1), "ROLLED_BACK");
  t.equal(node.m.running(), before);
});

t.test("what does not fit is refused before anything is made, with its code", async (t) => {
  const node = await fakeNode(t);
  const before = node.m.running();
  const refusals = {
    "update/incompatible": [
      { release: { platforms: ["aarch64-linux"] } },
      { release: { minimumAgent: "0.5.1" } },
      { release: { hardware: ["raspberry-pi-4"] } },
    ],
    "update/release-invalid": [
      { release: { sha256: "0".repeat(64) } },
      { release: { length: 3 } },
      { document: { number: 2 } },
      { document: { parts: [{ name: "a", length: 1, sha256: "0".repeat(64) }] } },
    ],
    "update/release-missing": [{ release: { path: "release/other" } }],
    "update/window-invalid": [{ update: { window: { cron: "61 * * * *", durationMinutes: 5 } } }],
    "user-data/invalid": [{ spec: { hostnam: "a" } }],
  } as const;
  let count = 0;
  for (const [code, all] of Object.entries(refusals))
    for (const assigning of all) {
      count += 1;
      node.assign({ id: `u-${count}`, ...assigning });
      t.match(await node.run(), { update: { state: "REJECTED", code } }, JSON.stringify(assigning));
    }
  t.equal(node.m.running(), before);
  t.match(await node.boot(), { outcome: "unchanged" });
});

t.test("a person who is to be asked is waited for", async (t) => {
  const node = await fakeNode(t);
  node.assign({ update: { approval: true } });
  t.match(await node.run(), { waits: { afterMs: null }, update: { state: "AWAITING_APPROVAL" } });
  writeWish(node.start().io, "approve", { updateId: "u-0", by: "ada" });
  t.match(await node.run(), { update: { state: "AWAITING_APPROVAL" } }, "to this one");
  writeWish(node.start().io, "approve", { updateId: "u-1", by: "ada" });
  t.match(await node.run(), { update: { state: "SUCCEEDED" } });
  node.assign({ id: "u-2", number: 2, name: "edge-2" });
  const settings = { update: { approval: true } };
  t.match(await node.run({ settings }), { update: { state: "AWAITING_APPROVAL" } }, "by the owner");
});

t.test("a later assignment takes the place of one that waits; none calls it off", async (t) => {
  const node = await fakeNode(t);
  node.assign({ update: { approval: true } });
  await node.run();
  node.assign({ id: "u-2", name: "edge-2", number: 2 });
  t.match(await node.run(), { update: { updateId: "u-2", state: "SUCCEEDED" } });
  t.ok(node.states().includes("SUPERSEDED"));
  node.assign({ id: "u-3", name: "edge-3", number: 3, update: { approval: true } });
  await node.run();
  node.withdraw();
  t.match(await node.run(), { update: { updateId: "u-3", state: "CANCELED" } });
  t.match(readCommitted(node.start().io.files), { updateId: "u-2" }, "what was committed stays");
});

t.test("pause keeps it, resume lets it go on, cancel calls it off", async (t) => {
  const node = await fakeNode(t);
  const say = (name: "pause" | "cancel") =>
    writeWish(node.start().io, name, { updateId: "u-1", by: "ada" });
  node.assign({ update: { approval: true } });
  await node.run();
  say("pause");
  t.match(await node.run(), { waits: { why: "by ada" }, update: { state: "PAUSED" } });
  writeWish(node.start().io, "approve", { updateId: "u-1", by: "ada" });
  t.match(await node.run(), { update: { state: "PAUSED" } });
  node.start().io.files.remove("/var/lib/firstlight/update/wishes/pause.json");
  t.match(await node.run(), { update: { state: "SUCCEEDED" } });
  node.assign({ id: "u-1", name: "edge-2", number: 2, update: { approval: true } });
  await node.run();
  say("cancel");
  t.match(await node.run(), { update: { state: "CANCELED", code: "update/canceled" } });
});

t.test("cancel during the trial leads back, though it is healthy, and blames nobody", async (t) => {
  const node = await fakeNode(t);
  const before = node.m.running();
  node.assign({ spec: { health: sick } });
  const probe: typeof failing = async () => {
    const isTried = node.m.running() !== before;
    if (isTried) writeWish(node.start().io, "cancel", { updateId: "u-1", by: "ada" });
    return { passed: true, message: "" };
  };
  t.match(await node.run({ probe }), {
    update: { state: "ROLLED_BACK", code: "update/canceled", reason: "called off by ada" },
  });
  t.equal(node.m.running(), before);
  node.assign({ id: "u-2", spec: { health: sick } });
  const well: typeof failing = async () => ({ passed: true, message: "" });
  t.match(await node.run({ probe: well }), { update: { state: "SUCCEEDED" } });
});

t.test("the time has come, or not, or not any more", async (t) => {
  const node = await fakeNode(t);
  node.m.write("/run/systemd/timesync/synchronized", "");
  // The clock of the tests stands at 2026-01-01T00:00Z, a Thursday.
  node.assign({ update: { notBefore: "2026-01-01T06:00:00Z" } });
  t.match(await node.run(), { waits: { afterMs: 21_600_000 }, update: { state: "SCHEDULED" } });
  node.assign({ update: { window: { cron: "0 2 * * *", durationMinutes: 60, timezone: "UTC" } } });
  t.match(await node.run(), { waits: { afterMs: 7_200_000, why: /window 0 2/ } });
  node.assign({ update: { deadline: "2025-12-31T00:00:00Z" } });
  t.match(await node.run(), { update: { state: "TIMED_OUT", code: "update/expired" } });
});

t.test("what keeps the machine keeps an update that is not urgent", async (t) => {
  const node = await fakeNode(t);
  const settings = { update: { inhibit: ["login", "battery"] as ("login" | "battery")[] } };
  node.m.write("/run/systemd/sessions/3", "STATE=active\nCLASS=user\nUSER=ada\nTTY=tty1\n");
  node.assign();
  t.match(await node.run({ settings }), {
    waits: { why: "ada is logged in (tty1)" },
    update: { state: "SCHEDULED" },
  });
  node.assign({ update: { urgent: true } });
  t.match(await node.run({ settings }), { update: { state: "SUCCEEDED" } });
});

t.test("a disk that takes no more events changes nothing of a commit", async (t) => {
  const node = await fakeNode(t);
  node.assign();
  let isFull = false;
  node.m.faults.full = (line) => {
    if (line.includes('"state":"COMMITTING"')) isFull = true;
    return isFull && line.includes('"state":"SUCCEEDED"');
  };
  await node.run();
  t.match(readCommitted(node.start().io.files), { updateId: "u-1" });
  const committed = node.m.running();
  t.equal(committed, node.m.bootDefault());
  node.m.faults.full = () => false;
  t.match(
    await node.run(),
    { update: { state: "SUCCEEDED" } },
    "written by the journal's word later",
  );
  t.equal(node.m.running(), committed);
});

t.test(
  "a document that did not come with the message is waited for, and brought once",
  async (t) => {
    const node = await fakeNode(t);
    const { release } = node.assign();
    const { files } = node.start().io;
    const { documents, ...assigned } = JSON.parse(files.readText(assignedFile) ?? "");
    node.m.write(assignedFile, JSON.stringify({ ...assigned, documents: {} }));
    let asked = 0;
    const away = async () => {
      throw new Fault("system/fetch-failed", "no mirror is there");
    };
    const run = await node.run({ bring: away });
    t.match(run, { update: { state: "VERIFYING" }, waits: { why: "no mirror is there" } });
    const bring = async () => {
      asked += 1;
      const text: string = documents[release.path];
      node.m.write(`${documentsDirectory}/${release.sha256}`, text);
      return text;
    };
    t.match(await node.run({ bring }), { update: { state: "SUCCEEDED" } });
    t.equal(asked, 1);
  },
);

t.test("cancel takes a trial back that waits for its restart, or came by one", async (t) => {
  const node = await fakeNode(t);
  const before = node.m.running();
  const cancel = (updateId: string) =>
    writeWish(node.start().io, "cancel", { updateId, by: "ada" });
  node.assign({ spec: { hostname: "kernel-new" } });
  await node.run();
  cancel("u-1");
  t.match(await node.run(), { update: { state: "ROLLED_BACK" } }, "it was never booted");
  t.notOk(node.restart() && node.m.running() !== before, "and is not");
  node.assign({ id: "u-2", spec: { hostname: "kernel-new" } });
  await node.run();
  t.ok(node.restart());
  t.not(node.m.running(), before);
  cancel("u-2");
  t.match(await node.run(), { update: { state: "ROLLBACK_REBOOTING" } });
  t.ok(node.restart());
  await node.run();
  t.match(node.records().at(-1)?.update, { state: "ROLLED_BACK", code: "update/canceled" });
  t.equal(node.m.running(), before);
});

t.test("a restart that did not come is asked for again", async (t) => {
  const node = await fakeNode(t);
  node.assign({ spec: { hostname: "kernel-new" } });
  node.m.faults.answers.set("systemctl", ({ args: [verb] }) =>
    verb === "reboot" ? { code: 1, stderr: "no" } : undefined,
  );
  await t.rejects(node.run());
  t.notOk(node.restart());
  node.m.faults.answers.delete("systemctl");
  t.match(await node.run(), { update: { state: "REBOOTING" }, restart: true });
  t.ok(node.restart());
});

t.test("a system that is held back is not tried under another number", async (t) => {
  const node = await fakeNode(t);
  const probe = failingOnTrial(node.m);
  node.assign({ spec: { health: sick } });
  await node.run({ probe });
  node.assign({ id: "u-2", number: 2, spec: { health: sick } });
  t.match(await node.run({ probe }), {
    update: { state: "REJECTED", code: "system/release-denied", attempt: 1 },
  });
  t.match(await node.boot({ probe }), { outcome: "unchanged" });
});

t.test("a trial that is refused before it begins changes nothing", async (t) => {
  const node = await fakeNode(t);
  const before = node.m.running();
  node.assign({ spec: { hostname: "kernel-new" } });
  t.match(await node.run({ reboot: "refuse" }), {
    update: { state: "FAILED", code: "system/reboot-refused" },
  });
  t.strictSame(node.states().slice(-2), ["INSTALLING", "FAILED"]);
  t.equal(node.m.running(), before);
  t.equal(readStaged(node.start().io.files), undefined);
});

t.test("what passes is tried again later, so many times", async (t) => {
  const node = await fakeNode(t);
  const obtain = async () => {
    throw new Fault("system/fetch-failed", "no cache answers");
  };
  node.assign();
  t.match(await node.run({ obtain }), {
    waits: { why: "no cache answers", afterMs: 300_000 },
    update: { state: "SCHEDULED", attempt: 1, code: "system/fetch-failed" },
  });
  t.match(await node.run(), { waits: { why: "no cache answers" } }, "not before its time");
  const broken = async () => {
    throw new Fault("system/build-failed", "it does not build");
  };
  node.assign({ id: "u-2", name: "edge-2", number: 2 });
  t.match(await node.run({ obtain: broken }), {
    update: { state: "FAILED", code: "system/build-failed" },
  });
});

t.test("signatures that do not hold any more are refused; such that time heals wait", async (t) => {
  const node = await fakeNode(t);
  node.assign();
  const says = (code: "trust/expired" | "trust/revoked") => async () => {
    throw new Fault(code, "a test");
  };
  t.match(await node.run({ verify: says("trust/expired") }), {
    waits: { why: "a test" },
    update: { state: "VERIFYING" },
  });
  t.match(await node.run({ verify: says("trust/revoked") }), {
    update: { state: "REJECTED", code: "trust/revoked" },
  });
});

t.test("where nothing can be told, the update goes its way, and is told later", async (t) => {
  const node = await fakeNode(t);
  node.assign();
  node.m.write("/var/lib/firstlight/report/events", "no directory");
  t.match(await node.run(), { update: { state: "SUCCEEDED" } });
  t.equal(node.m.running(), node.m.bootDefault());
  t.same(told(node), []);
  node.start().io.files.remove("/var/lib/firstlight/report/events");
  t.match(await node.run(), { update: { state: "SUCCEEDED" } });
  t.strictSame(
    told(node).map(({ to }) => to),
    done,
  );
});
