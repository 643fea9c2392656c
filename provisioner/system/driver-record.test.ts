import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { systemClient } from "./client.ts";
import { openDriver } from "./driver.ts";
import { chooseDriver } from "./driver-record.ts";
import { fakeSources } from "./fake-machine.ts";
import { openJournal } from "./open-journal.ts";
import { systemPaths } from "./paths.ts";
import type { Closure } from "./system.ts";

const reason = { by: "boot", why: "a test", instanceId: "i-1" } as const;

t.test("a machine that nothing has changed takes any driver, nix unless told", async (t) => {
  const io = fakeIo(t.testdir());
  await systemClient(openDriver(io, { driver: "dry" })).history();
  t.equal(chooseDriver(io, undefined), "nix");
  t.equal(chooseDriver(io, "dry"), "dry");
});

t.test("a machine that was dry stays dry, and real Nix is refused", async (t) => {
  const io = fakeIo(t.testdir());
  await systemClient(openDriver(io, { driver: "dry" })).build(fakeSources("a"), reason);
  t.equal(chooseDriver(io, undefined), "dry");
  t.equal(chooseDriver(io, "dry"), "dry");
  t.throws(() => chooseDriver(io, "nix"), { code: "system/other-driver", message: /driver dry/ });
});

t.test("a machine that real Nix has changed is not played with", async (t) => {
  const io = fakeIo(t.testdir());
  const journal = openJournal(io, systemPaths({}).journal);
  const intent = { sourcesDigest: "a", reason };
  journal.intent("t1", "build", intent);
  const failure = { code: "system/build-failed", message: "no nix" } as const;
  journal.result("t1", "build", { ok: false, failure });
  t.equal(chooseDriver(io, "dry"), "dry", "a build that failed has changed nothing");
  journal.intent("t2", "build", intent);
  journal.result("t2", "build", { ok: true, value: {} as Closure });
  t.equal(chooseDriver(io, undefined), "nix");
  t.throws(() => chooseDriver(io, "dry"), { code: "system/other-driver", message: /driver nix/ });
  io.files.write(systemPaths({}).journal, "no journal\n\n");
  t.throws(() => chooseDriver(io, "dry"), { code: "system/other-driver" }, "nobody knows");
});
