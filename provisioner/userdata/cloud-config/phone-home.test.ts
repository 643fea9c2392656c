import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import t from "tap";
import { secretText, translateCloud } from "../sample-translation.ts";
import { checkCases } from "./check-cases.ts";

const run = promisify(execFile);

checkCases(t, [
  {
    name: "a section of another kind",
    yaml: "phone_home: yes\n",
    spec: {},
    says: ["error user-data/wrong-type 2:13 phone_home"],
  },
  {
    name: "no address",
    yaml: "phone_home: {post: all}\n",
    spec: {},
    says: ["error user-data/wrong-type 2:13 phone_home"],
  },
  {
    name: "values of other kinds",
    yaml: "phone_home: {url: [a], post: some, tries: many, other: 1}\n",
    spec: {},
    says: [
      "error user-data/wrong-type 2:19 phone_home.url",
      "error user-data/wrong-type 2:30 phone_home.post",
      "error user-data/wrong-type 2:43 phone_home.tries",
      "warning cloud-config/unsupported-key 2:49 phone_home.other",
    ],
  },
  ...["ftp://example.org/", "example.org", "'https://example.org/ x'", "'https://[x]/'"].map(
    (url) => ({
      name: `no address: ${url}`,
      yaml: `phone_home: {url: ${url}}\n`,
      spec: {},
      says: ["error user-data/wrong-type 2:19 phone_home.url"],
    }),
  ),
]);

const systemdRun = `systemd-run() { while [ "$1" != /bin/sh ]; do shift; done; sh "$2"; }`;

const hook = (name: string) => ({
  name,
  when: "post-update" as const,
  timeout: "1m",
  script: { secretRef: name },
});

t.test("it is a hook after the commit; http is warned of, and fields that are none", async (t) => {
  const { spec, findings, coverage } = translateCloud(
    "phone_home: {url: 'http://192.0.2.1/', post: [hostname, colour, 7], tries: 1000}\n",
  );
  t.strictSame(spec.hooks, [hook("phone-home")]);
  t.strictSame(
    findings.map(({ level, code, path }) => [level, code, path]),
    [
      ["warning", "cloud-config/plain-http", "phone_home.url"],
      ["warning", "cloud-config/unknown-value", "phone_home.post.1"],
      ["error", "user-data/wrong-type", "phone_home.post.2"],
      ["warning", "cloud-config/overridden", "phone_home.tries"],
    ],
  );
  t.strictSame(coverage, { translated: 0, agent: 3, unsupported: 2 });
});

t.test("the form reaches the server once, with what the machine has", async (t) => {
  const seen: { readonly url: string | undefined; readonly form: [string, string][] }[] = [];
  let refusals = 1;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    response.statusCode = refusals-- > 0 ? 503 : 200;
    response.end("thank you");
    const form = [...new URLSearchParams(Buffer.concat(chunks).toString())];
    if (response.statusCode === 200) seen.push({ url: request.url, form });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const yaml = `fqdn: edge.example.org\nphone_home: {url: 'http://127.0.0.1:${port}/$INSTANCE_ID/', tries: 3}\n`;
  const translation = translateCloud(yaml, { instanceId: 'i 1"\\' });
  const dir = t.testdir({
    ssh_host_rsa_key: "",
    "ssh_host_rsa_key.pub": "ssh-rsa AAAA+/= a@b\n",
    hostname: "edge\n",
  });
  const script = (secretText(translation, "phone-home") ?? "")
    .replaceAll("/etc/ssh", dir)
    .replaceAll("/run/firstlight", dir)
    .replace("/run/systemd/system", dir)
    .replace("/proc/sys/kernel/hostname", join(dir, "hostname"))
    .replaceAll("/var/lib/firstlight", dir)
    .replace("--retry-delay 3", "--retry-delay 1")
    .replace(/setpriv [^']*/, "env");
  for (let times = 0; times < 2; times++) await run("bash", ["-c", `${systemdRun}\n${script}`]);
  t.notOk(existsSync(join(dir, "phone-home")), "the script is gone");
  t.strictSame(seen, [
    {
      url: "/i%201%22%5C/",
      form: [
        ["pub_key_rsa", "ssh-rsa AAAA+/= a@b\n"],
        ["pub_key_ecdsa", "N/A"],
        ["pub_key_ed25519", "N/A"],
        ["instance_id", 'i 1"\\'],
        ["hostname", "edge"],
        ["fqdn", "edge.example.org"],
      ],
    },
  ]);
});
