import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { systemClient } from "./client.ts";
import { openDriver } from "./driver.ts";
import { chooseDriver } from "./driver-record.ts";
import { fakeSources } from "./fake-machine.ts";

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

t.test("a machine with generations of Nix is not played with", async (t) => {
  const io = fakeIo(t.testdir());
  io.files.append("/var/lib/firstlight/journal/journal.jsonl", "");
  t.equal(chooseDriver(io, undefined), "nix");
  t.throws(() => chooseDriver(io, "dry"), { code: "system/other-driver", message: /driver nix/ });
});
