import t, { type Test } from "tap";
import { type BootRecord, rememberBoot } from "#agent/boot-records.ts";
import { fakeIo } from "#core/fake-io.ts";
import { silentLog } from "#core/log.ts";
import { command } from "./commands/analyze.ts";

const exchange = {
  method: "PUT",
  url: "http://169.254.169.254/latest/api/token",
  from: "192.0.2.7",
};

/** What the command says of a machine with two boots. */
async function analyze(t: Test, args: readonly string[], flags: object = {}, json = false) {
  const io = fakeIo(t.testdir());
  const boot: BootRecord = {
    bootId: "b1",
    by: "boot",
    outcome: "unchanged",
    message: "it runs",
    datasource: "Ec2",
    stages: [
      { stage: "recover", ms: 12.3 },
      { stage: "discover", ms: 2_040.5 },
    ],
    ...{ startedAt: "2026-01-01T00:00:00.000Z", finishedAt: "2026-01-01T00:00:03.000Z" },
    search: {
      tried: [
        { name: "NoCloud", result: "absent", place: null, ms: 0.4 },
        { name: "LXD", result: "passed", place: "a socket" }, // by an earlier version
        { name: "Ec2", result: "used", place: "metadata service of Ec2", ms: 2_040.1 },
      ],
      exchanges: [
        { ...exchange, atMs: 0, ms: 2_001, status: null, error: "ETIMEDOUT" },
        { ...exchange, atMs: 2_010, ms: 3, status: 200, error: null },
      ],
      unrecorded: 0,
    },
  };
  rememberBoot(io, { ...boot, bootId: "b0" });
  rememberBoot(io, boot);
  const said: string[] = [];
  const say = (text: string) => void said.push(text);
  await command.run({
    ...{ args, flags: { ...flags }, json, io, log: silentLog },
    ...{
      out: {
        data: say,
        talk: say,
        live: undefined,
        page: { columns: 80, isUnicode: true },
        findings: () => {},
      },
      signal: new AbortController().signal,
    },
  });
  return said.join("\n");
}

t.test("show tells the last boot in the order in which it went", async (t) => {
  t.equal(
    await analyze(t, ["show"]),
    `2026-01-01T00:00:00.000Z boot: unchanged, Ec2 (boot b1): it runs
        12.3 ms  recover
      2040.5 ms  discover
  LXD: passed, a socket
  Ec2: used after 2040.1 ms, metadata service of Ec2
  1 datasource absent
  at 0 ms: PUT http://169.254.169.254/latest/api/token from 192.0.2.7: ETIMEDOUT after 2001 ms
  at 2010 ms: PUT http://169.254.169.254/latest/api/token from 192.0.2.7: 200 after 3 ms
      3000.0 ms  in all`,
  );
});

t.test("blame tells what took longest first, of as many boots as are asked for", async (t) => {
  const one = `        2040.5 ms  discover
      2040.1 ms  discover/Ec2
      2001.0 ms  discover/PUT http://169.254.169.254/latest/api/token from 192.0.2.7
        12.3 ms  recover
         3.0 ms  discover/PUT http://169.254.169.254/latest/api/token from 192.0.2.7`;
  const said = await analyze(t, ["blame"], { last: "5" });
  t.equal(said.split(one.trimStart()).length, 3);
  const json = JSON.parse(await analyze(t, ["blame"], { last: "5" }, true));
  t.match(json, {
    v: 1,
    boots: [{ bootId: "b0" }, { bootId: "b1", costs: [{ what: "discover" }] }],
  });
});

t.test("what is not meant is refused", async (t) => {
  await t.rejects(analyze(t, ["dump"]), { code: "cli/usage" });
  await t.rejects(analyze(t, ["show"], { last: "-1" }), { code: "cli/usage" });
});
