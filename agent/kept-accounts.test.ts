import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { silentLog } from "#core/log.ts";
import { withKeptAccounts } from "./kept-accounts.ts";

const alice = "https://github.com/alice.keys";
const bob = "https://launchpad.net/~bob/+sshkeys";
const file = "https://example.org/x";

t.test("what an account said last stands in where it cannot be read", async (t) => {
  const { files } = fakeIo(t.testdir());
  const read = async (answers: Readonly<Record<string, string>>, ...urls: readonly string[]) => {
    const found = new Map(Object.entries(answers).map(([url, text]) => [url, Buffer.from(text)]));
    const all = await withKeptAccounts({ files }, silentLog, async () => found)(urls);
    return Object.fromEntries([...all].map(([url, bytes]) => [url, Buffer.from(bytes).toString()]));
  };
  t.same(await read({}, alice), {}, "nothing was read yet");
  t.same(await read({ [alice]: "1", [file]: "x" }, alice, bob, file), {
    [alice]: "1",
    [file]: "x",
  });
  t.same(await read({}, alice, bob, file), { [alice]: "1" }, "a file has no second word");
  t.same(await read({ [alice]: "2" }, alice), { [alice]: "2" });
  t.same(await read({}, alice), { [alice]: "2" });
  t.same(await read({ [bob]: "3" }, bob), { [bob]: "3" });
  t.same(await read({}, alice), {}, "who is no longer named is forgotten");
});

t.test("a record that is torn, of another version or too large counts as none", async (t) => {
  const { files } = fakeIo(t.testdir());
  const path = "/var/lib/firstlight/instance/accounts.json";
  const read = () => withKeptAccounts({ files }, silentLog, async () => new Map())([alice]);
  for (const text of [
    "{",
    "[]",
    `{"v":2,"texts":{"${alice}":"x"}}`,
    `{"v":1,"texts":{"${alice}":7}}`,
  ]) {
    files.write(path, text);
    t.equal((await read()).size, 0, text);
  }
  const huge = new Map([[alice, Buffer.alloc(300_000, 65)]]);
  await withKeptAccounts({ files }, silentLog, async () => huge)([alice]);
  t.equal((await read()).size, 0);
});
