import { writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { type FakeProgram, fakeIo } from "#core/fake-io.ts";
import { hostIo } from "#core/host-io.ts";
import type { Io } from "#core/io.ts";
import { validate } from "#generated/agent/facts/facts-report.validate.js";
import { isGone, wasStarted, writeTool } from "./fake-hanging-tool.ts";
import { fakeKernel } from "./fake-kernel.ts";
import { readFacts } from "./read-facts.ts";
import { readFactsReport, witnessTools } from "./report.ts";

const argv = ["/firstlight", "witness"];
const dmi = "/sys/class/dmi/id";
const machine = {
  [`${dmi}/sys_vendor`]: "Framework\n",
  [`${dmi}/product_sku`]: "FRANDGCP07\n",
  [`${dmi}/board_name`]: "FRANMDCP07\n",
  [`${dmi}/bios_date`]: "03/09/2024\n",
  [`${dmi}/chassis_type`]: "10\n",
  "/proc/sys/kernel/arch": "x86_64\n",
  "/proc/cpuinfo":
    "processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: Ryzen  7\nflags\t\t: lm\n",
  "/sys/bus/pci/devices/0000:c1:00.0/uevent": "DRIVER=amdgpu\nPCI_CLASS=30000\nPCI_ID=1002:15BF\n",
  "/sys/devices/pci0000:00/nvme/nvme0/nvme0n1/size": "2000\n",
  "/sys/block/nvme0n1": "-> ../devices/pci0000:00/nvme/nvme0/nvme0n1",
  "/sys/class/net/eth0/type": "1\n",
  "/sys/class/net/eth0/address": "00:00:5e:00:53:01\n",
  "/sys/class/net/eth0/device/uevent": "",
  "/sys/class/power_supply/CMB0/type": "Battery\n",
};

const board = {
  sysVendor: "Framework",
  productName: "",
  productVersion: "",
  productSku: "-",
  boardVendor: "",
  boardName: "FRANMDCP07",
  boardVersion: "",
  biosVendor: "",
  biosVersion: "",
  biosDate: "2024-09-03",
  chassisVendor: "",
  chassisType: "Notebook",
};
const library = (more: object = {}) =>
  [
    { call: "board", value: { ...board, ...more } },
    { call: "power", value: { battery: false } },
    { call: "disks", value: [] },
    {
      call: "graphics",
      value: [{ vendor: "AMD", model: "", slot: "c1:00.0", memoryMebibytes: null }],
    },
    { call: "memory", error: "asked too much" },
  ]
    .map((line) => `${JSON.stringify(line)}\n`)
    .join("");

/** What each says of this machine when it is right. */
const right: Readonly<Record<string, string>> = {
  firstlight: library(),
  lspci: "Slot:\t0000:c1:00.0\nClass:\t0300\nVendor:\t1002\nDevice:\t15bf\nDriver:\tamdgpu\n",
  dmidecode: "System Information\n\tManufacturer: Framework\n\tSKU Number: FRANDGCP07\n",
  lsblk: '{"blockdevices":[{"kname":"nvme0n1","type":"disk","size":1024000,"tran":"nvme"}]}',
  lscpu:
    '{"lscpu":[{"field":"Architecture:","data":"x86_64"},{"field":"Model name:","data":"Ryzen 7"}]}',
  ip: '[{"ifname":"eth0","link_type":"ether","address":"00:00:5e:00:53:01"}]',
};

const says = (answers: Readonly<Record<string, string>>): Readonly<Record<string, FakeProgram>> =>
  Object.fromEntries(Object.entries(answers).map(([name, stdout]) => [name, () => ({ stdout })]));

async function reportOf(directory: string, programs: Readonly<Record<string, FakeProgram>>) {
  fakeKernel(directory, machine);
  const io = fakeIo(directory, programs);
  return { io, report: await readFactsReport(io, { argv }) };
}

t.test("who says what is told by fact, the kernel first; all of one mind is no news", async (t) => {
  const { io, report } = await reportOf(t.testdir({}), says(right));
  t.ok(validate(report), "fits its schema", { errors: validate.errors });
  t.same(report.facts, readFacts(io), "the facts are those without a report");
  t.same(report.disagreements, []);
  t.same(
    report.sources["pci[0000:c1:00.0].driver"]?.map(({ by, value }) => [by, value]),
    [
      ["kernel", "amdgpu"],
      ["lspci", "amdgpu"],
    ],
  );
  t.match(report.sources["dmi.sysVendor"], [
    { by: "kernel", from: `${dmi}/sys_vendor`, value: "Framework" },
    { by: "systeminformation", value: "Framework" },
    { by: "dmidecode", from: "dmidecode -q -t 0,1,2,3", value: "Framework" },
  ]);
  t.match(report.sources["cpu.name"], [{ value: "Ryzen  7" }, { by: "lscpu", value: "Ryzen 7" }]);
});

t.test("what the library is known to get wrong is seen, and is no disagreement", async (t) => {
  const { report } = await reportOf(t.testdir({}), says(right));
  t.match(report.sources["dmi.biosDate"], [{ value: "2024-03-09" }, { value: "2024-09-03" }]);
  t.match(report.sources["features.battery"], [{ value: true }, { value: false }]);
  t.match(report.sources["dmi.productSku"], [{}, { by: "systeminformation", value: "-" }, {}]);
  t.match(
    report.gaps.map(({ by, what, why }) => [by, what, why]),
    [
      ["systeminformation", "disks", "missing"],
      ["systeminformation", "memory", "failed"],
      ["systeminformation", "processor", "failed"],
    ],
  );
});

t.test("a lie is a disagreement, and so is a device that only one of them has", async (t) => {
  const lies = {
    ...right,
    firstlight: library({ boardName: "FRANMHCP09", biosDate: "2024-04-10" }),
    lspci: right["lspci"]?.replace("amdgpu", "radeon") ?? "",
    dmidecode: "System Information\n\tManufacturer: Acme\n",
    lsblk: '{"blockdevices":[{"kname":"sdb","type":"disk","size":1024}]}',
    ip: "[]",
  };
  const { report } = await reportOf(t.testdir({}), says(lies));
  t.ok(validate(report), "fits its schema", { errors: validate.errors });
  t.same(
    report.disagreements.map(({ fact, said }) => [fact, ...said.map(({ value }) => value)]),
    [
      ["blockDevices[nvme0n1].name", "nvme0n1", null],
      ["blockDevices[sdb].name", null, "sdb"],
      ["dmi.biosDate", "2024-03-09", "2024-04-10"],
      ["dmi.boardName", "FRANMDCP07", "FRANMHCP09"],
      ["dmi.sysVendor", "Framework", "Acme"],
      ["network[eth0].name", "eth0", null],
      ["pci[0000:c1:00.0].driver", "amdgpu", "radeon"],
    ],
  );
});

const faults: Readonly<Record<string, { readonly program?: FakeProgram; readonly why: string }>> = {
  missing: { why: "missing" },
  "exit 1": { program: () => ({ code: 1, stderr: "no way\n" }), why: "failed" },
  "not allowed": {
    program: () => ({ code: 1, stderr: "/dev/mem: Permission denied" }),
    why: "denied",
  },
  garbage: { program: () => ({ stdout: "\u0000garbage{{" }), why: "malformed" },
  killed: { program: () => ({ code: null, signal: "SIGSEGV" }), why: "failed" },
  endless: {
    program: () => ({ stdout: `${"y\n".repeat(2 * 1024 * 1024 + 1)}` }),
    why: "too-large",
  },
  hanging: { program: () => ({ code: null, signal: "SIGKILL", timedOut: true }), why: "timed-out" },
};
const names = witnessTools.map(({ name }) => name);

t.test("each tool in each trouble costs its own word, and is named", async (t) => {
  for (const [fault, { program, why }] of Object.entries(faults)) {
    for (const broken of [...names.map((name) => [name]), names]) {
      const working = Object.entries(says(right)).filter(
        ([name]) => !broken.includes(name as never),
      );
      const troubled = program === undefined ? [] : broken.map((name) => [name, program] as const);
      const { report } = await reportOf(
        t.testdir({}),
        Object.fromEntries([...working, ...troubled]),
      );
      const said = `${broken.join(", ")}: ${fault}`;
      t.ok(validate(report), said, { errors: validate.errors });
      t.same(
        report.gaps.filter(({ by }) => by !== "systeminformation").map((gap) => [gap.by, gap.why]),
        broken.map((name) => [name, why]),
        said,
      );
      const speaking = new Set(
        Object.values(report.sources)
          .flat()
          .map(({ by }) => by),
      );
      for (const name of names) t.equal(speaking.has(name), !broken.includes(name), said);
      t.same(report.disagreements, [], `${said}: silence contradicts nobody`);
      t.equal(report.facts.dmi?.boardName, "FRANMDCP07", "the facts are the kernel's");
    }
  }
});

t.test(
  "all are asked at once, each with a deadline, none for longer than two seconds",
  async (t) => {
    const { io } = await reportOf(t.testdir({}), says(right));
    t.same(
      io.executed.map(({ file }) => file),
      ["/firstlight", ...names],
    );
    for (const { file, timeoutMs, graceMs = 5000 } of io.executed)
      t.ok(timeoutMs + graceMs <= 2000, file, { timeoutMs, graceMs });
  },
);

t.test("what the kernel's files did not tell is a gap of the facts themselves", async (t) => {
  const directory = t.testdir({});
  const { report } = await reportOf(directory, says(right));
  t.same(
    report.gaps.filter(({ by }) => by === "kernel"),
    [],
  );
  writeFileSync(path.join(directory, dmi, "chassis_type"), "many\n");
  const damaged = await readFactsReport(fakeIo(directory, says(right)), { argv });
  t.match(damaged.gaps[0], { by: "kernel", what: `${dmi}/chassis_type`, why: "malformed" });
});

/** Tools that hang and take no notice of being asked to end, and one that talks without end. */
function hangingTools(directory: string): Io {
  for (const name of [...names, "firstlight"]) {
    const what =
      name === "ip" ? "echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy" : "sleep 1";
    writeTool(directory, name, `trap '' TERM\nwhile :; do ${what}; done`);
  }
  return hostIo({ env: { PATH: `${directory}/bin:${process.env["PATH"]}` } });
}

t.test(
  "tools that hang and ignore SIGTERM are ended, with all that they started",
  { timeout: 120_000 },
  async (t) => {
    const directory = t.testdir({});
    const io = hangingTools(directory);
    let turns = 0;
    const heart = setInterval(() => {
      turns += 1;
    }, 20);
    const report = await readFactsReport(io, { argv: [path.join(directory, "bin", "firstlight")] });
    clearInterval(heart);
    t.ok(validate(report), "fits its schema", { errors: validate.errors });
    const why = new Map(report.gaps.map((gap) => [gap.by, gap.why]));
    for (const name of names)
      t.ok(["timed-out", "too-large"].includes(why.get(name) ?? ""), name, { gaps: report.gaps });
    t.equal(why.get("systeminformation"), "timed-out");
    t.ok(turns > 10, "this process went on meanwhile", { turns });
    for (const name of [...names, "firstlight"])
      if (wasStarted(directory, name)) t.ok(await isGone(directory, name), `${name} is gone`);
  },
);

t.test("on this machine each tool is heard or named", async (t) => {
  const report = await readFactsReport(hostIo(), { argv: ["/nowhere/firstlight"] });
  t.ok(validate(report), "fits its schema", { errors: validate.errors });
  const heard = new Set(
    Object.values(report.sources)
      .flat()
      .map(({ by }) => by),
  );
  const named = new Set(report.gaps.map(({ by }) => by));
  for (const name of [...names, "systeminformation"] as const)
    t.not(heard.has(name), named.has(name), name);
});
