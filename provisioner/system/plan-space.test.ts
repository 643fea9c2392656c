import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { systemClient } from "./client.ts";
import { fakeMachine, fakeSources, systemOf } from "./fake-machine.ts";
import type { ChangeReason } from "./system.ts";

const reason: ChangeReason = { by: "apply", why: "a test", instanceId: null };
const store = "/nix/store";
const kernels = ["2", "3"].map((digit) => `${store}/${digit.repeat(32)}-linux`);

t.test("the boot partition needs room for a kernel that no generation has", async (t) => {
  const m = fakeMachine(t.testdir());
  const write = (file: string, text: string) => {
    mkdirSync(path.dirname(path.join(m.root, file)), { recursive: true });
    writeFileSync(path.join(m.root, file), text);
  };
  for (const kernel of kernels) write(`${kernel}/bzImage`, "x".repeat(100));
  write(`${store}/${"4".repeat(32)}-initrd/initrd`, "x".repeat(40));
  const link = (system: string, kernel = "") => {
    m.link(`${kernel}/bzImage`, `${system}/kernel`);
    m.link(`${store}/${"4".repeat(32)}-initrd/initrd`, `${system}/initrd`);
  };
  link(m.image, kernels[0]);
  const c = systemClient(m.start().system);
  const needed = async (name: string, kernel = "") => {
    const closure = await c.build(fakeSources(name), reason);
    link(systemOf(fakeSources(name)), kernel);
    const { space } = await c.plan(closure);
    return space.find(({ place }) => place === "boot");
  };
  t.equal(await needed("a", kernels[0]), undefined, "there is no partition of its own");
  write("/proc/mounts", "/dev/vda1 /boot vfat rw 0 0\n");
  t.match(await needed("b", kernels[0]), { path: "/boot", neededBytes: 0 });
  t.match(await needed("c", kernels[1]), { neededBytes: 100 });
});
