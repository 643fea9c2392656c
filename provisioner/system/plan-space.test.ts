import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { systemClient } from "./client.ts";
import { fakeMachine, fakeSources, systemOf } from "./fake-machine.ts";
import type { ChangeReason } from "./system.ts";

const reason: ChangeReason = { by: "apply", why: "a test", instanceId: null };
const store = "/nix/store";
const kernels = ["2", "3"].map((digit) => `${digit.repeat(32)}-linux`);
const initrd = `${"4".repeat(32)}-initrd`;
const esp = "/boot/EFI/nixos";

t.test("the boot loader's place needs room for a kernel that is not there", async (t) => {
  const m = fakeMachine(t.testdir());
  const write = (file: string, text: string) => {
    mkdirSync(path.dirname(path.join(m.root, file)), { recursive: true });
    writeFileSync(path.join(m.root, file), text);
  };
  for (const kernel of kernels) write(`${store}/${kernel}/bzImage`, "x".repeat(100));
  write(`${store}/${initrd}/initrd`, "x".repeat(40));
  const c = systemClient(m.start().system);
  const needed = async (name: string, kernel = "") => {
    const closure = await c.build(fakeSources(name), reason);
    const system = systemOf(fakeSources(name));
    m.link(`${store}/${kernel}/bzImage`, `${system}/kernel`);
    m.link(`${store}/${initrd}/initrd`, `${system}/initrd`);
    const { space } = await c.plan(closure);
    return space.find(({ place }) => place === "boot");
  };
  t.equal(await needed("a", kernels[0]), undefined, "there is no such place");
  write(`${esp}/${kernels[0]}-bzImage.efi`, "x");
  write(`${esp}/${initrd}-initrd.efi`, "x");
  t.match(await needed("b", kernels[0]), { path: esp, neededBytes: 0 });
  t.match(await needed("c", kernels[1]), { path: esp, neededBytes: 100 });
});
