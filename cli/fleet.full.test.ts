import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { firstlight } from "./try-commands.ts";

t.setTimeout(120_000);

t.test("the operator's commands say what is missing, and what is wrong", async (t) => {
  const dir = path.join(t.testdir(), "fleet");
  const run = (...args: readonly string[]) =>
    firstlight(["fleet", "enroll", ...args, "--dir", dir]);
  const refused = (wanted: number, said: RegExp, ...args: readonly string[]) => {
    const { code, stderr } = run(...args);
    t.equal(code, wanted, args.join(" "));
    t.match(stderr, said);
  };
  t.match(firstlight(["fleet", "rollout", "x"]), { code: 4, stderr: /expected init, .*enroll/ });
  refused(4, /expected init, serve, token/, "begin");
  refused(4, /enroll\.json.*init/s, "list");
  refused(
    4,
    /--url: expected an address with https/,
    "init",
    "--fleet",
    "demo",
    "--url",
    "http://x",
  );
  refused(4, /--fleet: expected letters/, "init", "--fleet", "a/b", "--url", "https://x");
  refused(4, /--key: expected/, "init", "--fleet", "demo", "--url", "https://x", "--key", "rsa");
  t.equal(run("init", "--fleet", "demo", "--url", "https://enroll.example.org").code, 0);
  const ca = readFileSync(path.join(dir, "ca.pem"), "utf8");
  t.match(run("init", "--fleet", "other", "--url", "https://x"), {
    code: 0,
    stderr: /of demo was there/,
  });
  t.equal(readFileSync(path.join(dir, "ca.pem"), "utf8"), ca, "an authority is never replaced");
  for (const secret of ["ca.key", "token.key", "enroll.db", "enroll.json"])
    t.equal(statSync(path.join(dir, secret)).mode & 0o077, 0, `${secret} is the operator's alone`);
  refused(4, /--instance or --hardware/, "token", "--node", "edge-1");
  refused(4, /--node: expected letters/, "token", "--node", "a/b", "--instance", "i-1");
  t.match(
    run("token", "--node", "edge-1", "--instance", "i-1").stdout,
    /^fle1\.[\w-]+\.[\w-]{86}\n$/,
  );
  refused(4, /no node waits/, "approve", "AAAA-BBBB");
  refused(4, /no node is called/, "revoke", "edge-9");
  refused(4, /expected one name/, "revoke");
  refused(4, /expected a host/, "certificate", "--out", dir);
  t.match(run("list"), { code: 0, stdout: /^\s*$/ });
  t.match(run("crl").stdout, /^-----BEGIN X509 CRL-----\n/);
});

t.test("a machine whose settings name no server, or no authority, says so", async (t) => {
  const root = t.testdir({ etc: { firstlight: { "settings.json": "{}" } } });
  t.match(firstlight(["enroll", "--root", root]), { code: 4, stderr: /name no .fleet\.enroll/ });
  const enroll = { url: "https://enroll.example.org", caFile: "/etc/firstlight/ca.pem" };
  const settings = JSON.stringify({ fleet: { enroll } });
  const other = t.testdir({ etc: { firstlight: { "settings.json": settings } } });
  t.match(firstlight(["enroll", "--root", other]), { code: 4, stderr: /ca\.pem does not exist/ });
});
