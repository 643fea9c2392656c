import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { systemClient } from "./client.ts";
import { fakeMachine, fakeSources } from "./fake-machine.ts";
import { dropTornKernels } from "./torn-kernels.ts";

const store = "/nix/store";
const linux = "00000000000000000000000000000000-linux-6.12.1";
const initrd = "11111111111111111111111111111111-initrd-linux-6.12.1";

t.test("a copy that a power cut left short is removed, so that it is made again", async (t) => {
  const cases = [
    ["/boot/kernels", `${linux}-bzImage`, "", false],
    ["/boot/kernels", `${linux}-bzImage`, "the ker", false],
    ["/boot/kernels", `${linux}-bzImage`, "the kernel", true],
    ["/boot/kernels", `${initrd}-initrd`, "the init", false],
    ["/boot/EFI/nixos", `${linux}-bzImage.efi`, "the ker", false],
    ["/boot/EFI/nixos", `${initrd}-initrd.efi`, "the initrd, and secrets", true],
    ["/boot/nixos", `${linux}-bzImage`, "", false],
    ["/boot/kernels", "22222222222222222222222222222222-linux-6.6-bzImage", "", true],
    ["/boot/kernels", "by-hand", "", true],
  ] as const;
  for (const [index, [place, name, text, stays]] of cases.entries()) {
    const { files } = fakeIo(`${t.testdir()}/${index}`);
    files.write(`${store}/${linux}/bzImage`, "the kernel");
    files.write(`${store}/${initrd}/initrd`, "the initrd");
    files.write(`${place}/${name}`, text);
    dropTornKernels({ files, storeFiles: files, store });
    t.equal(files.stat(`${place}/${name}`) !== undefined, stays, `${name}: ${text || "empty"}`);
  }
});

t.test("a machine without copies is left alone", async (t) => {
  const io = fakeIo(t.testdir());
  dropTornKernels({ files: io.files, storeFiles: io.files, store });
  t.same(io.files.list("/"), []);
});

t.test("it is gone when the installer of a commit looks for it", async (t) => {
  const m = fakeMachine(t.testdir());
  const copy = `/boot/kernels/${linux}-bzImage`;
  m.write(`${store}/${linux}/bzImage`, "the kernel");
  m.write(copy, "");
  let found: string | undefined = "nobody looked";
  m.faults.answers.set("switch boot", () => {
    found = m.read(copy);
    return undefined;
  });
  const c = systemClient(m.start().system);
  await c.recover();
  const reason = { by: "apply", why: "a test", instanceId: "i-1" } as const;
  const trial = await c.try(await c.plan(await c.build(fakeSources("a"), reason)));
  await c.commit(trial, { healthy: true, reasons: [], passes: 1, ms: 1 });
  t.equal(found, undefined);
});
