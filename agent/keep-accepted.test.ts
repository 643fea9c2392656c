import t from "tap";
import { silentLog } from "#core/log.ts";
import { boot, content, type FullDeps, prepare } from "./fake-boot.ts";
import { withKeptAccounts } from "./kept-accounts.ts";
import { keptIncludes, keptIncludesDirectory } from "./kept-includes.ts";

const accountsFile = "/var/lib/firstlight/instance/accounts.json";
const address = "https://a.example/a";
const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPQ2b1rUWVcWTGGhKfAzv8zdiJ0Tx/AvzAEoavb4r6Ne";

/** User-data that includes a document once, which names an account. */
function including(instanceId: string, account: string): Partial<FullDeps> {
  const { instance, ...rest } = content(`#include-once\n${address}\n`);
  const said = `#cloud-config\nhostname: ${account}\nusers: [{name: a, ssh_import_id: [gh:${account}]}]\n`;
  return {
    discover: async () => ({ ...rest, instance: { ...instance, instanceId } }),
    fetchSources: async (urls) =>
      new Map(urls.map((url) => [url, Buffer.from(url === address ? said : `${key}\n`)])),
  };
}

t.test("what is kept of documents is written when they are let in, never before", async (t) => {
  const { io, deps } = prepare(t, { settings: { policy: { changes: "hold" } } });
  const bootWith = async (instanceId: string, account: string, approved = false) => {
    const given = { ...deps, ...including(instanceId, account), approved };
    const fetchAll = given.fetchSources;
    const { outcome, message } = await boot({
      ...given,
      keptIncludes: (id) => keptIncludes(io, id),
      fetchSources: (urls, how) => withKeptAccounts(io, silentLog, fetchAll)(urls, how),
    });
    const kept = await keptIncludes(io, instanceId).read(address);
    return {
      ...{ outcome, message },
      kept: kept === undefined ? undefined : Buffer.from(kept).toString(),
      scopes: io.files.list(keptIncludesDirectory),
      accounts: io.files.readText(accountsFile) ?? "",
    };
  };
  const first = await bootWith("i-1", "alice");
  t.match(first, { outcome: "committed", kept: /hostname: alice/, accounts: /alice\.keys/ });
  t.equal(first.scopes.length, 1);
  const refused = await bootWith("i-2", "mallory");
  t.equal(refused.outcome, "held");
  t.equal(refused.kept, undefined);
  t.same(refused.scopes, first.scopes, "what the real instance included stays");
  t.equal(refused.accounts, first.accounts, "and so do its accounts");
  const approved = await bootWith("i-2", "bob", true);
  t.match(approved, { outcome: "committed", kept: /hostname: bob/, accounts: /bob\.keys/ });
  t.equal(approved.scopes.length, 1, "of the other instance nothing is left then");
  t.notMatch(approved.scopes, first.scopes);
});
