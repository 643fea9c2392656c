import t from "tap";
import { fc } from "#core/fast-check.ts";
import { Fault } from "#core/fault.ts";
import { hostFiles } from "#core/host-files.ts";
import { fakeKernel } from "./fake-kernel.ts";
import { type FakeTpmEvent, newTpmLog, oldTpmLog, registersAfter } from "./fake-tpm-log.ts";
import { kernelFiles } from "./kernel-files.ts";
import { readTpm } from "./tpm.ts";
import { parseTpmLog } from "./tpm-log.ts";

const tpm = "/sys/class/tpm/tpm0";
const log = "/sys/kernel/security/tpm0/binary_bios_measurements";
const version2 = { [`${tpm}/tpm_version_major`]: "2\n" };

t.test("the version of a TPM is read, or guessed as old kernels allow", async (t) => {
  const cases: readonly (readonly [Readonly<Record<string, string>>, string | null])[] = [
    [version2, "2.0"],
    [{ [`${tpm}/tpm_version_major`]: "1\n" }, "1.2"],
    [{ [`${tpm}/device/caps`]: "TCG version: 1.2\n" }, "1.2"],
    [{ [`${tpm}/dev`]: "10:224\n" }, null],
  ];
  for (const [files, version] of cases)
    t.same(readTpm(fakeKernel(t.testdir({}), files)), { version, eventLog: null });
  t.equal(readTpm(fakeKernel(t.testdir({}), {})), null);
});

const events: readonly FakeTpmEvent[] = [
  { register: 0, type: 0x8, data: "firmware" },
  { register: 7, type: 0x8000_0001, data: "SecureBoot" },
  { register: 0, data: "\0\0\0\0" },
  { register: 7, data: "\0\0\0\0" },
  { register: 4, type: 0x8000_0003, data: "loader" },
  { register: 14, type: 0xd, data: "beyond the firmware" },
];

/** Files of a kernel whose TPM has registers of one bank. */
const registers = (bank: "sha1" | "sha256", values: readonly string[]) =>
  Object.fromEntries(values.map((value, at) => [`${tpm}/pcr-${bank}/${at}`, `${value}\n`]));

t.test("a log that explains the registers is complete, and one that does not is not", async (t) => {
  const left: readonly FakeTpmEvent[] = [...events, { register: 2, data: "not in the log" }];
  const untold = events.map((event) => ({ ...event, measured: event.register !== 4 }));
  const start = [{ register: 0, type: 3, data: "StartupLocality\0\x03" }, ...events];
  const byCpu = [{ register: 0, type: 0x8000_0007, data: "HCRTM" }, ...events];
  const cases = [
    ["all of it", newTpmLog(events), registersAfter("sha256", events), "complete"],
    ["one that the log lacks", newTpmLog(events), registersAfter("sha256", left), "incomplete"],
    ["one that the TPM lacks", newTpmLog(events), registersAfter("sha256", untold), "incomplete"],
    ["another locality", newTpmLog(start), registersAfter("sha256", events, 3), "complete"],
    ["begun by the processor", newTpmLog(byCpu), registersAfter("sha256", byCpu, 4), "complete"],
  ] as const;
  for (const [name, bytes, values, eventLog] of cases) {
    const kernel = fakeKernel(t.testdir({}), {
      ...version2,
      [log]: bytes,
      ...registers("sha256", values),
    });
    t.same(readTpm(kernel), { version: "2.0", eventLog }, name);
    t.same(kernel.unread, [], name);
  }
});

t.test(
  "a TPM with one bank only is compared in that, and the older TPM in its one file",
  async (t) => {
    const values = registersAfter("sha1", events);
    const sha1 = { ...version2, [log]: newTpmLog(events), ...registers("sha1", values) };
    t.equal(readTpm(fakeKernel(t.testdir({}), sha1))?.eventLog, "complete");
    const lines = values.map((hex, at) => `PCR-0${at}: ${hex.replaceAll(/(..)(?=.)/g, "$1 ")}\n`);
    const old = {
      [`${tpm}/tpm_version_major`]: "1\n",
      [`${tpm}/pcrs`]: lines.join(""),
      [log]: oldTpmLog(events),
    };
    t.same(readTpm(fakeKernel(t.testdir({}), old)), { version: "1.2", eventLog: "complete" });
    const other = { ...old, [`${tpm}/pcrs`]: lines.join("").replace("PCR-04: ", "PCR-04: 00 ") };
    t.equal(readTpm(fakeKernel(t.testdir({}), other))?.eventLog, "incomplete");
  },
);

t.test(
  "what cannot be told is unknown, and says why; no log at all is one answer too",
  async (t) => {
    const mounted = { "/sys/kernel/security/lsm": "capability\n" };
    const whole = newTpmLog(events);
    const cases = [
      ["no log", { ...version2, ...mounted }, "absent", []],
      ["not mounted", version2, null, []],
      ["cut off", { ...version2, [log]: whole.subarray(0, -3) }, null, [log]],
      ["junk", { ...version2, [log]: Buffer.alloc(100, 0xff) }, null, [log]],
      ["an old kernel", { ...version2, [log]: whole }, null, [`${tpm}/pcr-sha256`]],
    ] as const;
    for (const [name, files, eventLog, unread] of cases) {
      const kernel = fakeKernel(t.testdir({}), files);
      t.equal(readTpm(kernel)?.eventLog, eventLog, name);
      t.same(
        kernel.unread.map((entry) => entry.path),
        unread,
        name,
      );
    }
  },
);

t.test("the log is for root alone", async (t) => {
  const directory = t.testdir({});
  fakeKernel(directory, { ...version2, [log]: newTpmLog(events) });
  const files = hostFiles(directory, () => {});
  const denied = Object.assign(new Error("denied"), { code: "EACCES" });
  const kernel = kernelFiles({
    ...files,
    read: (name, options) => {
      if (name !== log) return files.read(name, options);
      throw new Fault("io/read-failed", "read", { cause: denied });
    },
  });
  t.equal(readTpm(kernel)?.eventLog, null);
  t.same(kernel.unread, [{ path: log, why: "denied" }]);
});

t.test("whatever a log holds, reading it ends", async (t) => {
  const whole = newTpmLog(events);
  fc.assert(
    fc.property(fc.nat(whole.length), fc.uint8Array({ maxLength: 64 }), (at, bytes) => {
      const damaged = Buffer.concat([whole.subarray(0, at), bytes, whole.subarray(at)]);
      const parsed = parseTpmLog(damaged);
      return parsed === null || parsed.replay("sha256").size === 8;
    }),
  );
  t.equal(parseTpmLog(new Uint8Array()), null);
});
