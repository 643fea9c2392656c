import t from "tap";
import { tryRender } from "./try-render.ts";

const key = `${"a1B2".repeat(10)}a1B=`;

/** What is said of a file with this content that everybody may read. */
function said(content: string, mode = "0644") {
  const { findings } = tryRender({ files: [{ path: "/etc/app.conf", mode, content }] });
  return findings.filter(({ code }) => code === "render/readable-key");
}

const secrets: Readonly<Record<string, string>> = {
  "a key of WireGuard": `[Interface]\nAddress = 192.0.2.1/24\nPrivateKey = ${key}\n`,
  "a preshared key": `[Peer]\n# peer\nPresharedKey=${key}\n`,
  "a token in YAML": "server: https://192.0.2.1:6443\n# joins\ntoken: 5f3c9a7d21\n",
  "a token in a list of YAML": "a:\n  b:\n  - token: 'abc def ghi'\n",
  "a password in INI": "[db]\nuser = app\npassword = hunter2hunter # of the app\n",
  "a password in JSON": '{\n  "a": 1,\n  "db": {"user": "app", "password": "hunter2hunter"}\n}\n',
  "a key of AWS":
    "AWS_ACCESS_KEY_ID=AKIAEXAMPLE\n\nexport AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMIexample\n",
  "a token of k3s": `a\nb\nK10${"0af3".repeat(16)}::server:5f3c9a7d21\n`,
  "a token of Rancher": `a\r\nb\r\nserver-url x token-ab1cd:${"z9".repeat(27)}\r\n`,
  "a hash": "a\nb\nDB_PASSWORD='$6$salt$hash'\n",
};

for (const [name, content] of Object.entries(secrets)) {
  t.test(`${name} in a file that everybody may read is told, by its line alone`, async (t) => {
    const [finding, ...more] = said(content);
    t.match(finding, { level: "warning", message: /^line 3 of this file/, hint: /"0600"/ });
    t.same(more, []);
  });
}

t.test("a key in PEM is told once", async (t) => {
  t.equal(said("-----BEGIN PRIVATE KEY-----\npassword: hunter2hunter\n").length, 1);
});

const others: Readonly<Record<string, string>> = {
  comments: '# password: hunter2hunter\n; token = hunter2hunter\n// "secret": "hunter2hunter"\n',
  "empty and short values": 'password:\ntoken: ""\nsecret = short\n',
  "names that a program fills in": `password: \${DB_PASSWORD}\nTOKEN=$(cat /run/token)\ntoken=$TOKEN_OF_APP\nsecret: "{{ secret }}"\npsk: <your key here>\npassword = ********\n`,
  "places of secrets":
    "password: /run/credentials/db\nPasswordFile=/run/credentials\ntoken_url: https://example.org\n",
  "settings about passwords":
    "PasswordAuthentication no\npassword_encryption = scram-sha-256\npasswd: files systemd\npassword required pam_unix.so\n",
  prose: "The password: it is told by the owner of this machine.\n",
};

for (const [name, content] of Object.entries(others)) {
  t.test(`${name} are no secret`, async (t) => t.same(said(content), []));
}
