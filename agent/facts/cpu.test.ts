import t from "tap";
import { readCpu } from "./cpu.ts";
import { fakeKernel } from "./fake-kernel.ts";

const pc = (processor: number, socket: number, core: number, flags: string) =>
  `processor\t: ${processor}\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 85\nmodel name\t: Xeon\nstepping\t: 4\nphysical id\t: ${socket}\ncore id\t\t: ${core}\nflags\t\t: ${flags}\n`;

t.test("packages, cores and threads are counted apart", async (t) => {
  const cpuinfo = [
    pc(0, 0, 0, "lm aes"),
    pc(1, 0, 0, "lm aes"),
    pc(2, 1, 0, "lm aes"),
    pc(3, 1, 0, "lm aes"),
  ].join("\n");
  const cpu = readCpu(fakeKernel(t.testdir({}), { "/proc/cpuinfo": cpuinfo }));
  t.match(cpu, { sockets: 2, cores: 2, threads: 4, flags: ["aes", "lm"], hypervisor: false });
});

t.test("without the kernel's word the architecture is told from the processor", async (t) => {
  const cases: readonly (readonly [string, string | null])[] = [
    [pc(0, 0, 0, "lm"), "x86_64"],
    [pc(0, 0, 0, "fpu"), "i686"],
    ["processor\t: 0\nCPU implementer\t: 0x41\nCPU architecture: 8\n", "aarch64"],
    ["processor\t: 0\nCPU implementer\t: 0x41\nCPU architecture: 7\n", "armv7l"],
    ["processor\t: 0\nhart\t: 0\nisa\t: rv64imafdc\n", "riscv64"],
    ["nothing known", null],
    ["", null],
  ];
  for (const [cpuinfo, architecture] of cases) {
    t.equal(
      readCpu(fakeKernel(t.testdir({}), { "/proc/cpuinfo": cpuinfo })).architecture,
      architecture,
      String(architecture),
    );
  }
  const named = fakeKernel(t.testdir({}), {
    "/proc/cpuinfo": "",
    "/proc/sys/kernel/arch": "loongarch64\n",
  });
  t.equal(readCpu(named).architecture, "loongarch64");
});

t.test("an implementer that is not in the table keeps its number", async (t) => {
  const cpuinfo =
    "processor\t: 0\nCPU implementer\t: 0x99\nCPU architecture: 8\nCPU part\t: 0xfff\nCPU revision\t: zero\n";
  const cpu = readCpu(fakeKernel(t.testdir({}), { "/proc/cpuinfo": cpuinfo }));
  t.match(cpu, {
    vendor: "0x99",
    family: 8,
    model: 0xfff,
    stepping: null,
    threads: 1,
    hypervisor: null,
  });
});

t.test("the microcode's revision stays as the kernel writes it", async (t) => {
  for (const [written, microcode] of [
    ["0xA704104", "0xa704104"],
    ["0xffffffff", "0xffffffff"],
    ["many", null],
    ["", null],
  ] as const) {
    const cpuinfo = `${pc(0, 0, 0, "lm")}microcode\t: ${written}\n`;
    const kernel = fakeKernel(t.testdir({}), { "/proc/cpuinfo": cpuinfo });
    t.equal(readCpu(kernel).microcode, microcode, written);
  }
});
