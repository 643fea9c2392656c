import { writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { hostProcesses, openLock, type Processes } from "./lock.ts";

const file = "/run/firstlight/system.lock";

function processes(pid: number, alive: readonly number[]): Processes {
  return { self: () => ({ pid, started: "1" }), isAlive: (process) => alive.includes(process.pid) };
}

t.test("a lock shuts another live process out until it is released", async (t) => {
  const io = fakeIo(t.testdir());
  const one = openLock(io, file, processes(1, [1, 2]));
  const two = openLock(io, file, processes(2, [1, 2]));
  one.acquire();
  one.acquire();
  t.throws(() => two.acquire(), { code: "system/locked", message: /process 1/ });
  two.release();
  t.throws(() => two.acquire(), { code: "system/locked" }, "only its holder releases it");
  one.release();
  two.acquire();
  t.throws(() => one.acquire(), { code: "system/locked", message: /process 2/ });
});

t.test("two locks of one process shut each other out as well", async (t) => {
  const io = fakeIo(t.testdir());
  openLock(io, file, processes(1, [1])).acquire();
  t.throws(() => openLock(io, file, processes(1, [1])).acquire(), { code: "system/locked" });
});

t.test("a lock of a dead process or an earlier boot is taken over", async (t) => {
  const io = fakeIo(t.testdir({ proc: { sys: { kernel: { random: { boot_id: "boot-1\n" } } } } }));
  openLock(io, file, processes(1, [1])).acquire();
  const two = openLock(io, file, processes(2, [2]));
  two.acquire();
  t.match(JSON.parse(io.files.readText(file) ?? ""), { pid: 2, bootId: "boot-1" });
  io.files.write("/proc/sys/kernel/random/boot_id", "boot-2\n");
  openLock(io, file, processes(3, [2, 3])).acquire();
  t.match(JSON.parse(io.files.readText(file) ?? ""), { pid: 3, bootId: "boot-2" });
  t.same(io.files.list("/run/firstlight"), ["system.lock"], "nothing is left beside it");
});

t.test("what a take-over left that was killed in the middle goes with the next", async (t) => {
  const io = fakeIo(t.testdir());
  openLock(io, file, processes(1, [1])).acquire();
  const onEffect = (_: number, name: string) => {
    if (name.startsWith("remove ")) throw new Error("killed");
  };
  const dying = fakeIo(io.files.root, {}, { onEffect });
  t.throws(() => openLock(dying, file, processes(2, [2])).acquire(), /killed/);
  t.match(io.files.list("/run/firstlight"), [/\.stale-/]);
  openLock(io, file, processes(3, [3])).acquire();
  t.same(io.files.list("/run/firstlight"), ["system.lock"]);
});

t.test("a lock that another process moves by a hair's breadth is taken again", async (t) => {
  const io = fakeIo(t.testdir());
  openLock(io, file, processes(1, [])).acquire();
  let moved = false;
  const list = (directory: string) => {
    // Another process, which has seen the dead holder too, renames the new one's file away.
    if (!moved) io.files.rename(file, `${file}.stale-other`);
    moved = true;
    return io.files.list(directory);
  };
  const two = openLock({ ...io, files: { ...io.files, list } }, file, processes(2, [2, 3]));
  two.acquire();
  t.match(JSON.parse(io.files.readText(file) ?? ""), { pid: 2 });
  t.same(io.files.list("/run/firstlight"), ["system.lock"]);
  t.throws(() => openLock(io, file, processes(3, [2, 3])).acquire(), { code: "system/locked" });
});

t.test("a lock file that says nothing is taken over", async (t) => {
  const root = t.testdir({ run: { firstlight: { "system.lock": "" } } });
  for (const text of ["", "null", "[]", "{", '{"pid":"1"}', "\0\0\0"]) {
    writeFileSync(path.join(root, file), text);
    const lock = openLock(fakeIo(root), file, processes(1, [1]));
    lock.acquire();
    lock.release();
  }
  t.same(fakeIo(root).files.list("/run/firstlight"), []);
});

t.test("a process of this host is told apart from a later one with its number", async (t) => {
  const host = hostProcesses();
  const self = host.self();
  t.ok(host.isAlive(self));
  t.notOk(host.isAlive({ ...self, started: "1" }));
  t.notOk(host.isAlive({ pid: 2 ** 22 + 1, started: null }));
  const named = fakeIo(
    t.testdir({ proc: { "7": { stat: `7 (a) b (c)) S ${"0 ".repeat(18)}4711 0\n` } } }),
  );
  t.ok(hostProcesses(named.files).isAlive({ pid: 7, started: "4711" }), "whatever its name is");
});
