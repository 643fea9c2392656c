import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { setKernelCommandLine } from "./fake-machine.ts";
import { readKernelArguments } from "./kernel-command-line.ts";

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
