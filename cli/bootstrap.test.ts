import { rmSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { addDisk } from "#agent/datasources/fake-machine.ts";
import { makeFat, needs, writeTree } from "#agent/datasources/images/make-images.ts";
import { fakeIo } from "#core/fake-io.ts";
import { createLog, type LogRecord } from "#core/log.ts";
import type { Invocation } from "./command.ts";
import { command } from "./commands/bootstrap.ts";

const seed = {
  "meta-data": "instance-id: i-1\n",
  "user-data": "#cloud-config\n",
  "network-config": "version: 2\nethernets: { lan: { addresses: [192.0.2.10/24] } }\n",
};

t.test("a seed on a disk that is late is brought up", needs("mkfs.vfat", "mcopy"), async (t) => {
  const root = path.join(t.testdir(), "root");
  const image = makeFat(path.join(root, "../seed.img"), seed, { label: "CIDATA" });
  writeTree(path.join(root, "run/udev"), { queue: "" });
  const fake = fakeIo(root);
  const { clock } = fake;
  const sleep: typeof clock.sleep = async (ms) => {
    await clock.sleep(ms);
    if (clock.monotonicMs() === 1_900) addDisk(root, "sda", { image });
    if (clock.monotonicMs() === 2_000) rmSync(path.join(root, "run/udev/queue"));
  };
  const records: LogRecord[] = [];
  const invocation: Invocation = {
    ...{ args: [], flags: {}, json: false },
    io: { ...fake, clock: { ...clock, sleep } },
    log: createLog(clock, (record) => records.push(record)),
    out: { data: () => {}, talk: () => {}, findings: () => {}, live: undefined },
    signal: new AbortController().signal,
  };
  t.equal(await command.run(invocation), 0);
  t.match(
    fake.files.readText("/run/systemd/network/10-lan.network"),
    "Address=192.0.2.10/24",
    JSON.stringify(records),
  );
  t.match(records.at(-1), { event: "bootstrap.finished", fields: { network: 1 } });
});
