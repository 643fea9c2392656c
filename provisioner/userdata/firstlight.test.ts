import t from "tap";
import { isSecretRef, Secret } from "#core/secret.ts";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { everyNetwork } from "#provisioner/render/every-network.ts";
import { linesOf, secretText, translateText } from "./sample-translation.ts";

/** Every key of a network; JSON is YAML as well. */
const network = JSON.stringify(everyNetwork, (_key, value: unknown) =>
  isSecretRef(value) ? `text of ${value.secretRef}` : value,
);

/** Every key of the spec, with secrets as a person writes them. */
const everything = `#firstlight
version: 1
hostname: edge-17
domain: example.org
mutableUsers: false
users:
  alice:
    uid: 1001
    description: Alice Example
    system: false
    primaryGroup: users
    groups: [wheel]
    home: /home/alice
    createHome: true
    shell: zsh
    authorizedKeys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5A]
    passwordHash: $6$a$b
    locked: false
    sudo: ["ALL=(ALL) ALL"]
    doas: [permit alice as root]
    expires: "2027-12-31"
groups: {cache: {gid: 2000, members: [alice]}}
metadataService: {closed: false}
firewall: {tcpPorts: [443], udpPorts: [123], interfaces: {br0: {tcpPorts: [53], udpPorts: [67]}}}
sshd: {enable: true, passwordAuthentication: false, permitRootLogin: "no"}
packages: [htop]
unfree: [vscode]
files:
  - {path: /etc/motd, content: "hi\\n", mode: "0644", owner: root, group: root, append: false, defer: false, once: false}
  - {path: /etc/token, secret: t0ken}
  - {path: /etc/key, content: k3y, mode: "0600"}
commands:
  - {name: hello, when: late, frequency: once, interpreter: bash, script: echo hello, starter: exec nice "$@", enables: [app.service]}
hooks:
  - {name: save, when: pre-update, script: echo save, interpreter: bash, timeout: 1m, onFailure: warn}
  - {name: tell, when: post-update, command: [/bin/true]}
secrets: {app-token: t0k3n}
networkSecrets: {wg0: {secret: k3y0, group: wpa_supplicant, units: [a.service]}}
initrdSecrets: {/keys/data.key: k3y1}
units: {a.service: {text: "[Service]\\n", enable: true, wantedBy: [multi-user.target], credentials: [{secretRef: app-token}]}, b.timer: {dropIn: "[Timer]\\n"}}
timezone: Europe/Zurich
locale: de_CH.UTF-8
keyboard: {layout: ch, variant: de, model: pc105, options: "compose:ralt"}
ntp: {enable: true, client: chrony, servers: [192.0.2.1], pools: [pool.example.org]}
hosts: {192.0.2.7: [cache.example.org]}
resolver: {nameservers: [192.0.2.53], search: [example.org], options: [rotate]}
certificates: ["-----BEGIN CERTIFICATE-----\\nx\\n"]
network: ${network}
mounts: [{device: /dev/sdb, path: /data, type: ext4, options: [noatime], check: true, format: false}]
swap: [{device: /swapfile, sizeMiB: 2048}, {device: /swap, size: auto, maxMiB: 512, options: [nofail]}]
templates: [{name: docker-host, parameters: {a: 1}}]
modules: [{name: web, text: "{ }"}]
home: {alice: {packages: [ripgrep], files: {a: {content: x, executable: true, force: true}}, programs.git.enable: true}}
health:
  passes: 3
  interval: 5s
  soak: 30s
  timeout: 2m
  failedUnits: new
  keep: [link, route, time]
  checks:
    - {type: http, url: "http://127.0.0.1/", status: 200, timeout: 5s}
    - {type: tcp, host: 127.0.0.1, port: 22, timeout: 5s}
    - {type: command, command: ["true"], timeout: 5s}
    - {type: unit, unit: sshd.service}
    - {type: file, path: /run/ready}
    - {type: systemd, degraded: true}
    - {type: dns, name: cache.example.org, timeout: 5s}
    - {type: route, family: ipv4}
    - {type: time}
    - {type: disk, path: /, freePercent: 10, freeBytes: 1073741824}
    - {type: memory, pressure: 20, availablePercent: 5}
    - {type: temperature, celsius: 90}
    - {type: link}
update: {changes: hold, release: r-1}
report:
  fleet: default
  hostKeys: true
  node: edge-17
  mqtt: {host: mqtt.example.org, port: 8883, tls: true, ca: pem, username: edge, password: s3cret, acknowledge: broker}
options: {services.nginx.enable: true}
`;

t.test("a document may say everything, and its secrets are lifted out", async (t) => {
  const translation = translateText(everything, { nixModules: true });
  t.strictSame(linesOf(translation), []);
  const { spec } = translation;
  t.equal(spec.users?.["alice"]?.expires, "2027-12-31");
  t.strictSame(spec.users?.["alice"]?.passwordHash, { secretRef: "user-alice-password" });
  t.strictSame(spec.files, [
    {
      path: "/etc/motd",
      content: "hi\n",
      mode: "0644",
      owner: "root",
      group: "root",
      append: false,
      defer: false,
      once: false,
    },
    { path: "/etc/token", secret: { secretRef: "file-1" } },
    { path: "/etc/key", mode: "0600", secret: { secretRef: "file-2" } },
  ]);
  t.strictSame(spec.commands?.[0]?.script, { secretRef: "command-0" });
  t.strictSame(spec.report?.mqtt?.password, { secretRef: "mqtt-password" });
  t.strictSame(spec.options, { "services.nginx.enable": true });
  t.strictSame(
    [...translation.secrets.keys()].map((name) => [name, secretText(translation, name)]),
    [
      ["user-alice-password", "$6$a$b"],
      ["file-1", "t0ken"],
      ["file-2", "k3y"],
      ["command-0", "echo hello"],
      ["command-0-starter", 'exec nice "$@"'],
      ["hook-0", "echo save"],
      ["app-token", "t0k3n"],
      ["network-wg0", "k3y0"],
      ["initrd-keys-data.key", "k3y1"],
      ["network-wlan0-home", "text of wifi-home"],
      ["network-wg0-private-key", "text of network-wg0-private-key"],
      ["network-wg0-peer-0", "text of network-wg0-peer-0"],
      ["mqtt-password", "s3cret"],
    ],
  );
  t.equal(translation.coverage.unsupported, 0);
});

t.test("every key of the schema stands in that document", async (t) => {
  const { default: schema } = await import("#provisioner/spec/v1.schema.json", {
    with: { type: "json" },
  });
  const used = new Set<string>();
  const collect = (value: unknown) => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      used.add(key);
      collect(inner);
    }
  };
  collect(translateText(everything).spec);
  const known = new Set<string>();
  const visit = (value: unknown) => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (key === "properties") for (const name of Object.keys(inner)) known.add(name);
      if (key !== "examples") visit(inner);
    }
  };
  visit(schema);
  t.strictSame(
    [...known].filter((name) => !used.has(name)),
    [],
  );
});

t.test("unknown keys are named at their place, with the key that may be meant", async (t) => {
  const { spec, findings } = translateText(
    "#firstlight\nhostnam: a\nusers:\n  alice:\n    shel: zsh\n    locked: true\nsshd: {port: 22}\n",
  );
  t.strictSame(
    findings.map(({ line, column, path, hint }) => [line, column, path, hint]),
    [
      [2, 1, "hostnam", "did you mean `hostname`?"],
      [5, 5, "users.alice.shel", "did you mean `shell`?"],
      [7, 8, "sshd.port", "docs/spec.md lists every key"],
    ],
  );
  t.strictSame(spec, { version: 1, users: { alice: { locked: true } }, sshd: {} });
});

const wrong: readonly (readonly [name: string, body: string, says: readonly string[]])[] = [
  ["a kind", "users: {a: {uid: x}}", ["2:18 users.a.uid: must be a whole number"]],
  ["a list", "packages: htop", ["2:11 packages: must be a list"]],
  ["a mapping", "users: []", ["2:8 users: must be a mapping"]],
  [
    "a word",
    "update: {changes: maybe}",
    ["2:19 update.changes: must be apply, hold or require-signature"],
  ],
  ["a version", "version: 2", ["2:10 version: must be 1"]],
  ["a name", "users: {Al Ice: {}}", ["2:9 users.Al Ice: this name is not allowed here"]],
  ["a unit's name", "units: {web: {}}", ["2:9 units.web: this name is not allowed here"]],
  [
    "two forms",
    "files: [{path: /a, content: b, secret: c}]",
    ["2:9 files.0: has both `content` and `secret`"],
  ],
  [
    "two forms of a unit",
    "units: {a.service: {text: b, dropIn: c}}",
    ["2:20 units.a.service: has both `text` and `dropIn`"],
  ],
  ["a missing key", "files: [{content: b}]", ["2:9 files.0: lacks `path`"]],
  ["an item twice", "packages: [a, b, a]", ["2:18 packages.2: stands in the list already"]],
  ["a number", "health: {passes: 0}", ["2:18 health.passes: must be at least 1"]],
  ["no check", "health: {checks: [{url: x}]}", ["2:19 health.checks.0: lacks `type`"]],
  [
    "an unknown check",
    "health: {checks: [{type: ping}]}",
    [
      "2:19 health.checks.0: `type` must be http, tcp, command, unit, file, systemd, dns, route, time, disk, memory, temperature or link",
    ],
  ],
  [
    "a check without a limit",
    "health: {checks: [{type: memory}]}",
    ["2:19 health.checks.0: names no limit to be held against"],
  ],
  [
    "a check without its keys",
    "health: {checks: [{type: tcp, prot: 1}]}",
    [
      "2:19 health.checks.0: lacks `host`",
      "2:19 health.checks.0: lacks `port`",
      "2:31 health.checks.0.prot: no such key",
    ],
  ],
  [
    "a reference to nothing",
    "users: {a: {passwordHash: {secretRef: b}}}",
    ["2:27 users.a.passwordHash: no secret of this name was given"],
  ],
  [
    "a secret of the wrong kind",
    "users: {a: {passwordHash: [b]}}",
    ["2:27 users.a.passwordHash: expected text, got a list"],
  ],
  [
    "no secret",
    "users: {a: {passwordHash: }}",
    ["2:26 users.a.passwordHash: expected text, got nothing"],
  ],
  ["a text", "hello", ["2:1 : expected a mapping of the spec's keys, got text"]],
];

for (const [name, body, says] of wrong) {
  t.test(`refuses ${name}`, async (t) => {
    const { findings } = translateText(`#firstlight\n${body}\n`);
    t.ok(findings.every(({ level }) => level === "error"));
    t.strictSame(
      findings.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`),
      says,
    );
  });
}

t.test("content is a secret unless its mode lets everybody read it", async (t) => {
  const cases = { '"0644"': true, '"444"': true, '"0640"': false, "0644": false, rw: false };
  for (const [mode, readable] of Object.entries(cases)) {
    const text = `#firstlight\nfiles: [{path: /a, content: CANARY, mode: ${mode}}]\n`;
    const { spec } = translateText(text);
    t.equal(JSON.stringify(spec).includes("CANARY"), readable, mode);
  }
  t.match(translateText('#firstlight\nfiles: [{path: /a, content: "x\\0"}]\n').spec.files, [
    { secret: { secretRef: "file-0" } },
  ]);
});

t.test("a part of the spec beside cloud-config is merged into it", async (t) => {
  const translation = translateText(`#cloud-config
hostname: a
packages: [htop]
users:
  - name: alice
    passwd: $6$old$hash
    lock_passwd: false
runcmd: [one]
firstlight:
  hostname: b
  packages: [htop, jq]
  users: {alice: {passwordHash: $6$new$hash, shell: fish}}
  commands: [{name: two, when: late, frequency: always, script: two}]
  options: {services.nginx.enable: true}
`);
  const expected: Spec = {
    version: 1,
    hostname: "b",
    users: {
      alice: { locked: false, passwordHash: { secretRef: "user-alice-password_2" }, shell: "fish" },
    },
    packages: ["htop", "jq"],
    commands: [
      { name: "runcmd", when: "late", frequency: "instance", script: { secretRef: "runcmd" } },
      { name: "two", when: "late", frequency: "always", script: { secretRef: "command-1" } },
    ],
    options: { "services.nginx.enable": true },
  };
  t.strictSame(translation.spec, expected);
  t.strictSame(linesOf(translation), []);
  t.equal(secretText(translation, "user-alice-password_2"), "$6$new$hash");
  t.notOk(translation.secrets.has("user-alice-password"), "what nothing refers to is dropped");
  t.strictSame(translation.origins.get("hostname"), {
    document: "user-data",
    line: 10,
    column: 13,
  });
  t.strictSame(translation.origins.get("users.alice.shell"), {
    document: "user-data",
    line: 12,
    column: 53,
  });
  t.strictSame(translation.origins.get("commands.1.name"), {
    document: "user-data",
    line: 13,
    column: 21,
  });
});

t.test("secrets are named once, and referred to by whatever takes one", async (t) => {
  const translation = translateText(`#firstlight
files:
  - {path: /a, mode: "0600", content: made}
  - {path: /b, secret: {secretRef: file-0}}
  - {path: /c, secret: {secretRef: bytes}}
units: {a.service: {credentials: [{secretRef: file-0}]}}
secrets:
  file-0: named
  bytes: !!binary /wD+
  idle: nobody
`);
  t.strictSame(linesOf(translation), [
    "note yaml/kept-as-text 9:10 secrets.bytes",
    "warning spec/unused-secret 10:3 secrets.idle",
  ]);
  const { spec, secrets } = translation;
  t.strictSame(spec.secrets, {
    bytes: { secretRef: "bytes" },
    "file-0": { secretRef: "file-0" },
  });
  t.strictSame(
    spec.files?.map(({ secret }) => secret?.secretRef),
    ["file-0_2", "file-0", "bytes"],
    "what is made has another name",
  );
  t.equal(secretText(translation, "file-0"), "named");
  t.equal(secretText(translation, "file-0_2"), "made");
  t.strictSame([...(secrets.get("bytes")?.reveal() ?? [])], [0xff, 0x00, 0xfe]);
  t.notOk(secrets.has("idle"));
});

t.test("beside cloud-config a secret has the name that the document gives it", async (t) => {
  const translation = translateText(`#cloud-config
users: [{name: a, lock_passwd: false, hashed_passwd: $6$a$b}]
firstlight:
  secrets: {user-a-password: named}
  files: [{path: /a, secret: {secretRef: user-a-password}}]
`);
  t.strictSame(linesOf(translation), []);
  t.equal(translation.spec.users?.["a"]?.passwordHash?.secretRef, "user-a-password_2");
  t.equal(secretText(translation, "user-a-password"), "named");
});

t.test(
  "secrets that are given beside the document count, and are named where not used",
  async (t) => {
    const bytes = (text: string) => new Secret<Uint8Array>(Buffer.from(text));
    const secrets = new Map([
      ["token", bytes("beside")],
      ["idle", bytes("x")],
    ]);
    const text =
      "#firstlight\nsecrets: {token: own}\nfiles: [{path: /a, secret: {secretRef: token}}]\n";
    const translation = translateText(text, { secrets });
    t.strictSame(linesOf(translation), [
      "warning spec/secret-twice 2:11 secrets.token",
      "note spec/unused-secret null:null idle",
    ]);
    t.equal(secretText(translation, "token"), "beside");
    t.strictSame([...translation.secrets.keys()], ["token"]);
  },
);

t.test("a reference to no secret says which one may be meant", async (t) => {
  const { findings } = translateText(
    "#firstlight\nsecrets: {app-token: x}\nunits: {a.service: {credentials: [{secretRef: app-tokn}]}}\n",
  );
  t.match(
    findings,
    [
      { code: "spec/unused-secret", path: "secrets.app-token" },
      { level: "error", code: "spec/unknown-secret", hint: "did you mean `app-token`?" },
    ].reverse(),
  );
});

t.test("the meta-data names a machine, and gives keys to the default user", async (t) => {
  const context = { hostname: "m.example.org", publicKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5M"] };
  const named = translateText("#firstlight\nusers: {nixos: {authorizedKeys: [k]}}\n", context);
  t.match(named.spec, {
    hostname: "m",
    domain: "example.org",
    users: { nixos: { authorizedKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5M", "k"] } },
  });
  t.strictSame(linesOf(named), ["warning spec/not-a-key 2:34 users.nixos.authorizedKeys.0"]);
  const own = translateText("#firstlight\nhostname: own\ndomain: example.com\n", context);
  t.match(own.spec, { hostname: "own", domain: "example.com" });
  t.strictSame(linesOf(own), ["note user-data/keys-unused null:null "]);
  const broken = translateText("#firstlight\nusers: {nixos: x}\n", { ...context, hostname: "_ _" });
  t.strictSame(linesOf(broken), [
    "error spec/invalid 2:16 users.nixos",
    "warning user-data/meta-data-hostname null:null ",
    "note user-data/keys-unused null:null ",
  ]);
});

t.test(
  "what is no password hash is refused wherever a spec takes it from, and not said",
  async (t) => {
    const named = "secrets: {h: plainCANARY}\nusers: {a: {passwordHash: {secretRef: h}}}";
    const own = "users: {a: {passwordHash: plainCANARY}}";
    for (const [text, line] of [
      [`#firstlight\n${own}`, "2:27"],
      [`#firstlight\n${named}`, "3:27"],
      ["#firstlight\nusers: {a: {passwordHash: ''}}", "2:27"],
      [`#cloud-config\nfirstlight:\n  ${own}`, "3:29"],
    ] as const) {
      const translation = translateText(text);
      t.match(linesOf(translation)[0], `error spec/not-a-hash ${line} `);
      t.notOk(JSON.stringify(translation.findings).includes("CANARY"));
      t.equal(translation.spec.users?.["a"]?.passwordHash, undefined);
      t.equal(translation.secrets.size, 0);
    }
  },
);

t.test("a hash beside the spec counts by what is given, and a name alone passes", async (t) => {
  const text = "#firstlight\nusers: {a: {passwordHash: {secretRef: h}}}";
  const given = (hash: string) => {
    const secrets = new Map([["h", new Secret<Uint8Array>(Buffer.from(hash))]]);
    return linesOf(translateText(text, { secrets }));
  };
  t.strictSame(given("$y$j9T$salt$hash\n"), []);
  t.strictSame(given(""), []);
  t.strictSame(given("-----BEGIN AGE ENCRYPTED FILE-----\n"), []);
  t.match(given("plain")[0], "error spec/not-a-hash 2:27 users.a.passwordHash");
});
