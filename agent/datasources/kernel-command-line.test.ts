import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { setKernelCommandLine } from "./fake-machine.ts";
import { readIdentity } from "./identity.ts";
import { readKernelArguments } from "./kernel-command-line.ts";
import { readNoCloudArguments } from "./nocloud-arguments.ts";

const cases: Record<string, readonly string[]> = {
  "root=/dev/vda1 ro  quiet": ["root=/dev/vda1", "ro", "quiet"],
  'dyndbg="file x +p" ds=nocloud;h=a': ["dyndbg=file x +p", "ds=nocloud;h=a"],
  '"ds=nocloud;h=a b" x': ["ds=nocloud;h=a b", "x"],
  'a="never closed b c': ["a=never closed b c"],
  "": [],
};

t.test("the kernel's arguments are split as the kernel splits them", async (t) => {
  for (const [line, words] of Object.entries(cases)) {
    const root = t.testdir();
    setKernelCommandLine(root, line);
    t.strictSame(readKernelArguments(fakeIo(root).files), words, line);
  }
  t.strictSame(readKernelArguments(fakeIo(t.testdir({})).files), [], "no /proc");
});

t.test("in a container they are those of its first process", async (t) => {
  const root = t.testdir({
    proc: { cmdline: "ds=nocloud\n", "1": { cmdline: "/sbin/init\0ds=none\0" } },
    run: { systemd: { container: "lxc\n" } },
    sys: {
      class: { dmi: { id: { sys_vendor: "Hetzner\n", product_serial: "ds=nocloud;h=x\n" } } },
    },
  });
  const { files } = fakeIo(root);
  t.same(readKernelArguments(files), ["/sbin/init", "ds=none"]);
  t.match(readIdentity(files), { sysVendor: "", productSerial: "" });
  t.same(readNoCloudArguments(files), []);
});
