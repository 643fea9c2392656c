// biome-ignore-all lint/suspicious/noTemplateCurlyInString: in names of options the sign is the subject
import t from "tap";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { cloudConfigModules } from "#provisioner/userdata/cloud-config/table.ts";
import { linesOf, translateText } from "#provisioner/userdata/sample-translation.ts";
import type { Platform } from "./base.ts";
import { credentialsOf, fileOf, plainFacts, type TryOptions, tryRender } from "./try-render.ts";

type Case = readonly [
  sentence: string,
  spec: Omit<Spec, "version">,
  finding: { readonly path: string; readonly level: string; readonly code: string },
  options?: TryOptions,
];

const error = (code: string, path: string) => ({ path, level: "error", code });
const warning = (code: string, path: string) => ({ path, level: "warning", code });
const note = (code: string, path: string) => ({ path, level: "note", code });
const file = (path: string, more: object = {}) => ({ files: [{ path, content: "x", ...more }] });

/** A machine that was found with a root of this type. */
const rootOf = (type: string): Platform => ({
  fileSystems: [{ path: "/", device: "/dev/disk/by-uuid/0001", type, options: [] }],
  swaps: [],
  left: [],
  bootLoader: "systemd-boot",
  esp: null,
});

/** Credential files with these lengths. */
function secretsOf(bytes: Readonly<Record<string, number>>) {
  const files = Object.entries(bytes).map(([name, each]) => ({
    name,
    file: `${name}@1`,
    version: "1",
    encrypted: true,
    bytes: each,
  }));
  return new Map(files.map((each) => [each.name, each]));
}

const homePin = {
  "home-manager": {
    storePath: "/nix/store/00000000000000000000000000000000-home-manager",
    narHash: null,
    revision: null,
  },
};

const cases: readonly Case[] = [
  [
    "a path that NixOS makes itself is left alone",
    file("/etc/hosts"),
    warning("render/owned-path", "files.0"),
  ],
  ...["/etc", "/etc/ssh", "/etc/systemd", "/etc/systemd/system", "/var/log/", "/"].map(
    (path): Case => [
      `so is the directory ${path}`,
      file(path),
      warning("render/owned-path", "files.0"),
    ],
  ),
  ["so is one of the store", file("/nix/store/x"), warning("render/owned-path", "files.0")],
  [
    "so is one of firstlight's own",
    file("/var/lib/firstlight/stamps/x"),
    warning("render/owned-path", "files.0"),
  ],
  [
    "a rule that doas would not take is refused, for it takes none then",
    { users: { alice: { doas: ["permit alice", "ALL=(ALL) ALL"] } } },
    error("render/rule", "users.alice.doas.1"),
  ],
  ["a path may not climb", file("/etc/a/../shadow"), warning("render/owned-path", "files.0")],
  [
    "a path that nothing reads is told",
    file("/etc/sudoers.d/x"),
    warning("render/unread-path", "files.0"),
  ],
  [
    "a private key that everybody may read is told",
    file("/etc/tls.key", { content: "# mine\n-----BEGIN EC PRIVATE KEY-----\nx\n" }),
    warning("render/readable-key", "files.0"),
  ],
  [
    "a package that is not free is told",
    { packages: ["htop", "cudaPackages.cudatoolkit"] },
    warning("render/unfree-package", "packages.1"),
  ],
  [
    "a unit file becomes a unit",
    file("/etc/systemd/system/a.service"),
    note("render/unit-file", "files.0"),
  ],
  [
    "a drop-in directory does not",
    file("/etc/systemd/system/a.service.d/b.conf"),
    warning("render/owned-path", "files.0"),
  ],
  [
    "a rule of sudo that names its user would name it twice",
    { users: { bob: { sudo: ["ALL = (root) /x a=b", "bob ALL=(root) /bin/ls"] } } },
    error("render/rule", "users.bob.sudo.1"),
  ],
  ...(
    [
      ["sudo", "ALL=(root) NOPASSWD:/usr/bin/systemctl restart x, /usr/sbin/reboot"],
      ["sudo", "ALL=(root) NOPASSWD: /run/current-system/sw/bin/ls, !/bin/su"],
      ["doas", "permit nopass a as root cmd /usr/sbin/reboot"],
    ] as const
  ).map(
    ([key, rule]): Case => [
      `a rule of a program that is elsewhere on NixOS: ${rule}`,
      { users: { a: { [key]: [rule] } } },
      warning("render/rule-path", `users.a.${key}.0`),
    ],
  ),
  [
    "a time zone of another world is warned of",
    { timezone: "Mars/Phobos" },
    warning("render/timezone-unknown", "timezone"),
  ],
  [
    "so is one in small letters",
    { timezone: "us/pacific" },
    warning("render/timezone-unknown", "timezone"),
  ],
  ["so is an offset", { timezone: "+01:00" }, warning("render/timezone-unknown", "timezone")],
  [
    "so is a locale that has no country",
    { locale: "xx.UTF-8" },
    warning("render/locale-unknown", "locale"),
  ],
  [
    "so is one of a land that nobody knows",
    { locale: "xx_YY.UTF-8" },
    warning("render/locale-unknown", "locale"),
  ],
  [
    "so is one in a character set that nobody knows",
    { locale: "de_CH.FOO" },
    warning("render/locale-unknown", "locale"),
  ],
  [
    "so is one of a modifier that nobody knows",
    { locale: "sr_RS@greek" },
    warning("render/locale-unknown", "locale"),
  ],
  ...["en_US.ISO-8859-1", "de_DE@euro", "sr_RS.KOI8-R@latin"].map(
    (locale): Case => [
      `in another character set than UTF-8 NixOS has no ${locale}`,
      { locale },
      warning("render/locale-charset", "locale"),
    ],
  ),
  [
    "one uid for two users is refused",
    { users: { a: { uid: 1001 }, b: { uid: 1001 } } },
    error("render/id-twice", "users.b.uid"),
  ],
  ...[0, 4, 65_534, 30_001].map(
    (uid): Case => [
      `so is the uid ${uid}, which NixOS has`,
      { users: { a: { uid } } },
      error("render/id-twice", "users.a.uid"),
    ],
  ),
  [
    "one gid for two groups is refused",
    { groups: { a: { gid: 2000 }, b: { gid: 2000 } } },
    error("render/id-twice", "groups.b.gid"),
  ],
  [
    "so is another gid for a group of NixOS",
    { groups: { wheel: { gid: 10 } } },
    error("render/id-twice", "groups.wheel.gid"),
  ],
  ...["nobody", "sshd", "systemd-network", "nixbld7", "messagebus"].map(
    (name): Case => [
      `NixOS declares ${name} itself`,
      { users: { [name]: { uid: 70, groups: ["x"], primaryGroup: "y", authorizedKeys: ["k"] } } },
      warning("render/nixos-account", `users.${name}`),
    ],
  ),
  [
    "a system user with keys cannot log in without a shell",
    { users: { a: { system: true, authorizedKeys: ["ssh-ed25519 AAAA"] } } },
    warning("render/no-shell", "users.a"),
  ],
  ...Object.entries({
    "services.x.adminPassword": "s",
    "services.x.api_key": "s",
    "users.users.x.hashedPassword": "$y$j9T$x",
    'networking.wireless.networks."a b".psk': "s",
    "services.x.tokens": ["/run/a", "s"],
    "services.x.settings": { a: [{ secret: "s" }] },
    "services.x.tls": "-----BEGIN PRIVATE KEY-----\nx",
  }).map(([name, value]): Case => {
    const inner = { "services.x.tokens": ".1", "services.x.settings": ".a.0.secret" }[name] ?? "";
    return [
      `a secret in an option is named: ${name}`,
      { options: { [name]: value } },
      warning("render/readable-secret", `options.${name}${inner}`),
      { anyOption: true },
    ];
  }),
  [
    "text that not everybody may read is refused",
    file("/etc/x", { mode: "0640" }),
    error("render/file-not-secret", "files.0"),
  ],
  [
    "a secret that is too large for a unit is refused",
    { files: [{ path: "/opt/a", secret: { secretRef: "a" } }] },
    error("render/secret-too-large", "files.0.secret"),
    { credentials: secretsOf({ a: 1024 * 1024 }) },
  ],
  [
    "so are those of one file together",
    {
      files: [
        { path: "/opt/a", secret: { secretRef: "a" } },
        { path: "/opt/a", secret: { secretRef: "b" }, append: true },
      ],
    },
    error("render/secret-too-large", "files.0"),
    { credentials: secretsOf({ a: 600_000, b: 600_000 }) },
  ],
  [
    "a script that is too large for a unit is refused",
    {
      commands: [{ name: "a", when: "late", frequency: "instance", script: { secretRef: "a" } }],
    },
    error("render/secret-too-large", "commands.0.script"),
    { credentials: secretsOf({ a: 2_000_000 }) },
  ],
  [
    "so is one with what starts it",
    {
      commands: [
        {
          ...{ name: "a", when: "late", frequency: "instance", script: { secretRef: "a" } },
          starter: { secretRef: "b" },
        },
      ],
    },
    error("render/secret-too-large", "commands.0"),
    { credentials: secretsOf({ a: 600_000, b: 600_000 }) },
  ],
  [
    "so are those that a unit is handed together",
    { units: { "a.service": { credentials: [{ secretRef: "a" }, { secretRef: "b" }] } } },
    error("render/secret-too-large", "units.a.service.credentials"),
    { credentials: secretsOf({ a: 600_000, b: 600_000 }) },
  ],
  [
    "and those of the network",
    {
      networkSecrets: { a: { secret: { secretRef: "a" } }, b: { secret: { secretRef: "b" } } },
    },
    error("render/secret-too-large", "networkSecrets"),
    { credentials: secretsOf({ a: 600_000, b: 600_000 }) },
  ],
  [
    "a secret of the network for a group that nobody declares is named",
    { networkSecrets: { a: { secret: { secretRef: "a" }, group: "wpa" } } },
    warning("render/user-unknown", "networkSecrets.a.group"),
  ],
  [
    "an option that names the file of a secret of the network that is none is told",
    {
      networkSecrets: { wg0: { secret: { secretRef: "a" } } },
      options: {
        "systemd.network.netdevs": {
          "10-wg0": {
            netdevConfig: { Name: "wg0", Kind: "wireguard" },
            wireguardConfig: { PrivateKeyFile: "/run/firstlight/network/wg1" },
            wireguardPeers: [{ PresharedKeyFile: "/run/firstlight/network/wg0" }],
          },
        },
      },
    },
    warning(
      "render/network-secret-unknown",
      "options.systemd.network.netdevs.10-wg0.wireguardConfig.PrivateKeyFile",
    ),
  ],
  [
    "a unit that runs nothing is handed nothing",
    { units: { "a.timer": { credentials: [{ secretRef: "a" }] } } },
    error("render/no-credentials", "units.a.timer.credentials"),
  ],
  [
    "a file inside of a file is refused",
    { files: [{ path: "/etc/a" }, { path: "/etc/a/b" }] },
    error("render/file-inside", "files.1"),
  ],
  [
    "the last of two files wins",
    { files: [{ path: "/etc/a" }, { path: "/etc/a" }] },
    note("render/file-twice", "files.0"),
  ],
  ...(
    [
      ["services.firstlight.settings.policy.changes", "apply"],
      ["services.firstlight.enable", false],
      ['services."firstlight"', { settings: { policy: { changes: "apply" } } }],
      ['environment.etc."firstlight/settings.json".text', "{}"],
      ['environment.etc."firstlight/trust/../settings.json"', { text: "{}" }],
      ["environment.etc", { "firstlight/pins.json": { text: "{}" } }],
      ["environment.etc.x.target", "firstlight/settings.json"],
      ["environment.etc", { x: { target: "./firstlight/disabled", text: "" } }],
    ] as const
  ).map(
    ([name, value]): Case => [
      `an option of firstlight's own is refused: ${name}`,
      { options: { [name]: value } },
      error("render/own-option", `options.${name}`),
    ],
  ),
  [
    "an unknown template",
    { templates: [{ name: "docker-hots" }] },
    error("render/template-unknown", "templates.0.name"),
  ],
  [
    "a parameter of the wrong kind",
    { templates: [{ name: "docker-host", parameters: { openPorts: ["http"] } }] },
    error("render/template-parameters", "templates.0.parameters.openPorts.0"),
  ],
  [
    "a user of a template that nobody declares",
    {
      users: { a: {} },
      templates: [{ name: "docker-host", parameters: { users: ["a", "ghost"] } }],
    },
    warning("render/user-unknown", "templates.0.parameters.users.1"),
  ],
  [
    "a member of a group that nobody declares",
    { users: { a: {} }, groups: { docker: { members: ["a", "root", "ghost"] } } },
    warning("render/user-unknown", "groups.docker.members.2"),
  ],
  [
    "an owner in /etc that nobody declares, and a number",
    {
      users: { a: {} },
      files: [
        { path: "/etc/a", content: "", owner: "a", group: "a" },
        { path: "/etc/b", content: "", owner: "1000", group: "100" },
        { path: "/etc/c", content: "", owner: "ghost" },
      ],
    },
    warning("render/user-unknown", "files.2.owner"),
  ],
  ...Object.entries({
    "a secret": { path: "/etc/x", secret: { secretRef: "s" }, mode: "0600" },
    "what is appended": { path: "/etc/x", content: "", append: true },
    "what comes later": { path: "/srv/x", content: "", defer: true },
    "a file outside of /etc": { path: "/srv/x", content: "" },
  }).map(
    ([what, each]): Case => [
      `${what} of a group that nobody declares`,
      {
        users: { a: { groups: ["operators"] } },
        templates: [{ name: "docker-host" }],
        options: { "services.nginx.enable": true, "users.groups.b": {} },
        files: [
          ...["a", "root", "wheel", "users", "operators", "docker", "nginx", "b", "100"].map(
            (group, index) => ({ ...each, path: `/srv/${index}`, owner: "a", group }),
          ),
          { ...each, owner: "nginx", group: "ghosts" },
        ],
      },
      warning("render/user-unknown", "files.9.group"),
    ],
  ),
  [
    "the group of a user that has another as its main one",
    {
      users: { a: { primaryGroup: "users" } },
      files: [{ path: "/srv/x", content: "", owner: "a", group: "a" }],
    },
    warning("render/user-unknown", "files.0.group"),
  ],
  [
    "what NixOS fixes of root",
    { users: { root: { uid: 5 } } },
    warning("render/nixos-account", "users.root.uid"),
  ],
  [
    "a parameter that NixOS obeys",
    { templates: [{ name: "docker-host", parameters: { _type: "if" } }] },
    error("render/template-parameters", "templates.0.parameters"),
  ],
  [
    "an option that the spec sets elsewhere",
    { hostname: "a", options: { "networking.hostName": "b" } },
    error("render/option-twice", "options.networking.hostName"),
  ],
  [
    "an option around one that is set",
    { hostname: "a", options: { networking: {} } },
    error("render/option-name", "options.networking"),
  ],
  [
    "an option inside of one that is set",
    {
      files: [{ path: "/etc/m", content: "", mode: "0664" }],
      options: { "environment.etc.m.text": "b" },
    },
    error("render/option-twice", "options.environment.etc.m.text"),
  ],
  [
    "an option of the network",
    { network: { ethernets: { a: {} } }, options: { "networking.useDHCP": true } },
    error("render/option-twice", "options.networking.useDHCP"),
  ],
  ["a name that is none", { options: { "a..b": 1 } }, error("render/option-name", "options.a..b")],
  [
    "a name that interpolates",
    { options: { "a.${b}": 1 } },
    error("render/option-name", "options.a.${b}"),
  ],
  [
    "modules to import",
    { options: { imports: ["/tmp/x.nix"] } },
    error("render/option-name", "options.imports"),
  ],
  [
    "modules to switch off",
    { options: { "disabledModules.x": [] } },
    error("render/option-name", "options.disabledModules.x"),
  ],
  [
    "the module's own config",
    { options: { "config.a": 1 } },
    error("render/option-name", "options.config.a"),
  ],
  [
    "a key that NixOS obeys in a name",
    { options: { "a._module.args": {} } },
    error("nix/take-over-key", "options.a._module.args"),
  ],
  [
    "a key that NixOS obeys in a value",
    { options: { "a.b": { _type: "override", priority: 0, content: 1 } } },
    error("nix/take-over-key", "options.a.b"),
  ],
  [
    "a number that Nix cannot hold",
    { options: { "a.b": 2 ** 60 } },
    error("nix/unprintable", "options.a.b"),
  ],
  [
    "a user that NixOS would obey",
    { users: { imports: {} } },
    error("nix/take-over-key", "users.imports"),
  ],
  [
    "home-manager that is not pinned",
    { home: { a: {} }, users: { a: {} } },
    error("render/pin-missing", "home"),
  ],
  [
    "home-manager where no machine is known",
    { home: { a: {} }, users: { a: {} } },
    note("render/pin-unknown", "home"),
    { base: { isPreview: true } },
  ],
  [
    "a home of nobody",
    { home: { alcie: {} }, users: { alice: {} } },
    error("render/user-unknown", "home.alcie"),
    { base: { pins: homePin } },
  ],
  [
    "a home of somebody whom the image may declare",
    { home: { alice: {} } },
    warning("render/user-unknown", "home.alice"),
    { base: { pins: homePin, kind: "adopted" } },
  ],
  ...(
    [
      ["names where home-manager takes packages", { home: { packages: ["git"] } }, "home.packages"],
      ["and by its dotted name", { "home.packages": ["git"] }, "home.packages"],
      ["a nixpkgs of its own", { nixpkgs: { config: {} } }, "nixpkgs"],
      ["a file that climbs", { files: { "a/../../x": { content: "" } } }, "files.a/../../x"],
    ] as const
  ).map(
    ([what, alice, path]): Case => [
      `a home with ${what}`,
      { home: { alice }, users: { alice: {} } },
      error("render/home-option", `home.alice.${path}`),
      { base: { pins: homePin } },
    ],
  ),
  [
    "a home with a private key",
    {
      users: { alice: {} },
      home: { alice: { files: { k: { content: "-----BEGIN OPENSSH PRIVATE KEY-----\n" } } } },
    },
    warning("render/readable-key", "home.alice.files.k"),
    { base: { pins: homePin } },
  ],
  [
    "a home with a name that is none",
    { users: { alice: {} }, home: { alice: { "programs..git": true } } },
    error("render/option-name", "home.alice.programs..git"),
    { base: { pins: homePin } },
  ],
  [
    "a home that NixOS would obey",
    { users: { alice: {} }, home: { alice: { "programs._type": "override" } } },
    error("nix/take-over-key", "home.alice"),
    { base: { pins: homePin } },
  ],
  [
    "a secret that is not there",
    { users: { a: { passwordHash: { secretRef: "gone" } } } },
    error("render/secret-unknown", "users.a.passwordHash"),
    { credentials: new Map() },
  ],
  [
    "a rule of two lines",
    { users: { a: { sudo: ["ALL=ALL\nroot ALL=ALL"] } } },
    error("render/rule", "users.a.sudo.0"),
  ],
  [
    "a rule that goes on",
    { users: { a: { sudo: ["ALL=ALL \\"] } } },
    error("render/rule", "users.a.sudo.0"),
  ],
  [
    "NUL",
    { users: { a: { description: "a\0b" } } },
    error("nix/unprintable", "users.a.description"),
  ],
  ["half of a character", { locale: "\ud800" }, error("nix/unprintable", "locale")],
  [
    "a colon in a field of passwd",
    { users: { a: { description: "a:b" } } },
    error("render/text", "users.a.description"),
  ],
  [
    "a text that Nix cannot match",
    { users: { a: { description: "x".repeat(1024 * 1024) } } },
    error("render/text", "users.a.description"),
  ],
  [
    "a key of two lines",
    { users: { a: { authorizedKeys: ["a\nb"] } } },
    error("render/text", "users.a.authorizedKeys.0"),
  ],
  [
    "a host name with blanks",
    { hosts: { "192.0.2.1": ["a b"] } },
    error("render/text", "hosts.192.0.2.1.0"),
  ],
  ["an address that is none", { hosts: { "a\nb": ["a"] } }, error("render/text", "hosts.a\ufffdb")],
  [
    "a name server that is no address",
    { resolver: { nameservers: ["nope"] } },
    error("render/text", "resolver.nameservers.0"),
  ],
  [
    "an option of resolv.conf that ends its quotes",
    { resolver: { options: ["'; x"] } },
    error("render/text", "resolver.options.0"),
  ],
  [
    "nothing reads options of the resolver where systemd-resolved is",
    { resolver: { options: ["rotate"] }, network: {} },
    warning("render/resolver-options", "resolver.options"),
  ],
  [
    "nor a list by which resolvconf would sort",
    { options: { "networking.resolvconf.extraConfig": "a=1\n" }, network: {} },
    warning("render/resolver-options", "options.networking.resolvconf.extraConfig"),
  ],
  [
    "a keyboard that ends its quotes",
    { keyboard: { layout: "us'" } },
    error("render/text", "keyboard.layout"),
  ],
  [
    "a target that ends its quotes",
    { units: { "a.service": { wantedBy: ["'x.target"] } } },
    error("render/text", "units.a.service.wantedBy.0"),
  ],
  [
    "a device of two words",
    { mounts: [{ device: "a b", path: "/a" }] },
    error("render/text", "mounts.0.device"),
  ],
  [
    "a file system that is to be made has a type",
    { mounts: [{ device: "/dev/vdb", path: "/a", format: true }] },
    error("render/format-type", "mounts.0.format"),
  ],
  [
    "swap that suits the memory needs to know it",
    { swap: [{ device: "/swap.img", size: "auto" }] },
    warning("render/swap-size", "swap.0.size"),
    { facts: { ...plainFacts, memoryBytes: null } },
  ],
  [
    "a root file system that does not grow stays as it is",
    { options: { 'fileSystems."/".autoResize': true } },
    warning("render/no-growth", 'options.fileSystems."/".autoResize'),
    { base: { platform: rootOf("zfs") } },
  ],
  [
    "two mounts at one place",
    {
      mounts: [
        { device: "a", path: "/a" },
        { device: "b", path: "/a/" },
      ],
    },
    error("render/mount-twice", "mounts.1"),
  ],
  [
    "a gateway that is another setting",
    { network: { ethernets: { a: { routes: [{ to: "default", via: "1\nDNS=2" }] } } } },
    error("render/text", "network.ethernets.a.routes.0.via"),
  ],
  [
    "users that are mutable, decided before",
    { mutableUsers: false },
    note("render/mutable-users", "mutableUsers"),
    { base: { mutableUsers: true } },
  ],
];

for (const [sentence, spec, finding, options] of cases) {
  t.test(sentence, async (t) => {
    const { findings } = tryRender(spec, options);
    t.match(findings, [finding]);
    t.equal(findings.length, 1, "said once");
  });
}

t.test("all else of a home is found without the pin, at a desk and on a machine", async (t) => {
  const home = {
    alice: {
      files: { "a/../x": { content: "-----BEGIN OPENSSH PRIVATE KEY-----\n" } },
      "home.packages": ["git"],
      "programs..git": true,
    },
    alcie: {},
  };
  const said = (base: TryOptions["base"]) =>
    tryRender({ users: { alice: {} }, home }, { base: base ?? {} }).findings.map(
      ({ level, code, path }) => `${level} ${code} ${path}`,
    );
  const ofAlice = [
    "error render/home-option home.alice.home.packages",
    "error render/home-option home.alice.files.a/../x",
    "warning render/readable-key home.alice.files.a/../x",
    "error render/option-name home.alice.programs..git",
  ];
  t.same(said({}), [
    "error render/pin-missing home",
    ...ofAlice,
    "error render/user-unknown home.alcie",
  ]);
  t.same(said({ isPreview: true }), [
    "note render/pin-unknown home",
    ...ofAlice,
    "warning render/user-unknown home.alcie",
  ]);
});

t.test("at a desk a home is rendered without home-manager's module", async (t) => {
  const spec = { users: { alice: {} }, home: { alice: { packages: ["git"] } } };
  const text = fileOf(tryRender(spec, { base: { isPreview: true } }), "firstlight/instance.nix");
  t.match(text, "packages = [ pkgs.git ];");
  t.notMatch(text, "imports");
});

t.test(
  "a finding has the line of the document, and what can be said is said all the same",
  async (t) => {
    const origins = new Map([["users.a", { document: "user-data", line: 7, column: 3 }]]);
    const result = tryRender(
      { hostname: "edge-17", users: { a: { description: "a\0" } } },
      { origins },
    );
    t.match(result.findings, [{ document: "user-data", line: 7, column: 3 }]);
    t.match(fileOf(result, "firstlight/instance.nix"), /hostName = "edge-17"/);
  },
);

t.test("a locale has the name that glibc builds it by in UTF-8", async (t) => {
  for (const [locale, built] of Object.entries({
    "de_CH.utf8": "de_CH.UTF-8",
    "sr_RS@latin": "sr_RS@latin",
    "ca_ES.UTF-8@valencia": "ca_ES@valencia",
    "ca_ES.UTF-8": "ca_ES.UTF-8",
    "hi_IN.UTF-8": "hi_IN",
    "C.UTF-8": "C.UTF-8",
    "de_DE@euro": "de_DE.UTF-8",
    POSIX: "C",
  })) {
    const instance = fileOf(tryRender({ locale }), "firstlight/instance.nix");
    t.equal(/defaultLocale = "(.*)"/.exec(instance)?.[1], built, locale);
  }
});

t.test(
  "an account of NixOS's own is left alone; ids that are free or its own are taken",
  async (t) => {
    const left = tryRender({ users: { nobody: { uid: 70, primaryGroup: "y", groups: ["x"] } } });
    t.notMatch(fileOf(left, "firstlight/instance.nix"), /users/);
    const users = { root: { uid: 0, shell: "zsh" }, a: { uid: 1000 }, b: { uid: 1001 } } as const;
    const groups = { wheel: { gid: 1, members: ["a"] }, a: { gid: 1000 } };
    t.strictSame(tryRender({ users, groups }).findings, []);
  },
);

t.test("options that only name a secret, or where it lies, are not warned of", async (t) => {
  const options = {
    "services.x.passwordFile": "/run/a",
    "services.x.password": "/run/a",
    "services.x.token": "",
    "services.x.secretName": "a",
    "services.x.tokenizer": "a",
    "services.x.PasswordAuthentication": false,
    "services.x.maxTokens": 5,
    "services.x.hashedPassword": "!",
    "services.x.psk": "ext:home",
    "services.x.secret": "%d/secret",
    "services.x.passphrase": "${PASSPHRASE}",
    "services.x.compassword": "a",
    "services.x.url": "https://192.0.2.1/token",
  };
  t.strictSame(tryRender({ options }, { anyOption: true }).findings, []);
});

t.test("no error has a value in its message that ends a line of a terminal", async (t) => {
  const { findings } = tryRender({ hosts: { "\u001b[2J\n": ["\u001b[2J\n"] } });
  for (const { path, message } of findings) t.notMatch(`${path}${message}`, /\p{Cc}/u);
});

t.test("what several lines make has the first of them in the manifest", async (t) => {
  const lines = ["packages.1", "users.a.doas", "users.b.sudo", "files.0", "commands.1"] as const;
  const origins = new Map(
    lines.map((path, at) => [path, { document: "user-data", line: at + 1, column: 1 }]),
  );
  const command = (name: string) =>
    ({ name, when: "late", frequency: "instance", script: { secretRef: name } }) as const;
  const spec = {
    packages: ["git", "htop"],
    users: {
      a: { doas: ["permit nopass a as root"] },
      b: { sudo: ["ALL=(ALL) NOPASSWD:ALL", "ALL=(root) /bin/ls"] },
    },
    files: [{ path: "/opt/a", content: "a" }],
    commands: [command("one"), command("two")],
  };
  const result = tryRender(spec, { origins, credentials: secretsOf({ one: 1, two: 1 }) });
  t.match(JSON.parse(fileOf(result, "firstlight/manifest.json")).options, {
    "environment.systemPackages": { line: 1 },
    "security.doas.extraConfig": { line: 2 },
    "security.sudo.extraRules": { line: 3 },
    "security.sudo.extraConfig": { line: 3 },
    "systemd.services.firstlight-files": { line: 4 },
    "systemd.services.firstlight-commands": { line: 5 },
  });
});

t.test("the manifest says which line set which option, and holds no value", async (t) => {
  const origins = new Map([["hostname", { document: "user-data", line: 2, column: 1 }]]);
  const result = tryRender({ hostname: "canary-name" }, { origins });
  const manifest = fileOf(result, "firstlight/manifest.json");
  t.match(JSON.parse(manifest), {
    options: {
      "networking.hostName": { document: "user-data", line: 2 },
      "services.firstlight.enable": null,
    },
  });
  t.notMatch(manifest, "canary-name");
});

t.test("the values are those of the modules, leaf by leaf, templates among them", async (t) => {
  const origins = new Map([["templates.0", { document: "user-data", line: 7, column: 5 }]]);
  const addresses = ["10.0.0.1/24"];
  const use = { name: "wireguard-mesh", parameters: { addresses } };
  const other = {
    name: "wireguard-mesh",
    parameters: { interface: "wg1", port: 51821, addresses },
  };
  const spec = {
    hostname: "edge",
    templates: [use, other],
    sshd: { passwordAuthentication: false },
  };
  const result = tryRender(spec, { origins, checkParameters: () => [] });
  t.match(JSON.parse(fileOf(result, "firstlight/values.json")), {
    v: 1,
    options: {
      "networking.hostName": '"edge"',
      "services.openssh.settings.PasswordAuthentication": "false",
      "system.stateVersion": '"25.11"',
      "templates.wireguard-mesh.addresses": String,
      'templates."wireguard-mesh 2".interface': '"wg1"',
    },
  });
  t.match(JSON.parse(fileOf(result, "firstlight/manifest.json")), {
    options: { "templates.wireguard-mesh": { line: 7 }, "system.stateVersion": null },
    files: { "firstlight/values.json": String },
  });
});

t.test("where the node reports is a value by its path, each part with its line", async (t) => {
  const spec: Spec = {
    version: 1,
    report: { fleet: "f", mqtt: { host: "192.0.2.1", password: { secretRef: "p" }, port: 8883 } },
  };
  const origins = new Map([["report.mqtt.port", { document: "user-data", line: 9, column: 5 }]]);
  const result = tryRender(spec, { origins, credentials: credentialsOf(spec, true) });
  const { options: values } = JSON.parse(fileOf(result, "firstlight/values.json"));
  const where = Object.fromEntries(
    Object.entries(values).filter(([name]) => name.startsWith("report.")),
  );
  t.match(where, {
    "report.fleet": '"f"',
    "report.mqtt.host": '"192.0.2.1"',
    "report.mqtt.password": /^"p@/,
    "report.mqtt.port": "8883",
    "report.node": `"${JSON.parse(fileOf(result, "firstlight/manifest.json")).instanceId}"`,
  });
  t.match(JSON.parse(fileOf(result, "firstlight/manifest.json")).options, {
    "report.mqtt.port": { line: 9 },
    "report.node": null,
  });
  const named = tryRender({ ...spec, report: { ...spec.report, node: "edge-1" } });
  t.match(JSON.parse(fileOf(named, "firstlight/values.json")).options, {
    "report.node": '"edge-1"',
  });
});

t.test("credentials are named by file, encrypted or not", async (t) => {
  const spec: Spec = {
    version: 1,
    commands: [{ name: "a", when: "late", frequency: "once", script: { secretRef: "s" } }],
  };
  for (const encrypted of [true, false]) {
    const result = tryRender(spec, { credentials: credentialsOf(spec, encrypted) });
    const key = encrypted ? "LoadCredentialEncrypted" : "LoadCredential";
    t.match(
      fileOf(result, "firstlight/instance.nix"),
      `${key} = [ "s:/var/lib/firstlight/credentials/s@`,
    );
    t.same(result.sources.credentials, ["s@0123456789abcdef"]);
  }
});

t.test("time zones and locales that may be right are not warned of", async (t) => {
  const zones = ["UTC", "Etc/GMT+5", "US/Pacific", "Asia/Kolkata", "Asia/Calcutta", "EST5EDT"];
  const odd = ["posix/Europe/Zurich", "America/North_Dakota/New_Salem", "GB-Eire", "Factory"];
  for (const timezone of [...zones, ...odd])
    t.strictSame(tryRender({ timezone }).findings, [], timezone);
  const locales = ["C", "POSIX", "C.UTF-8", "de_CH.UTF-8", "be_BY@latin"];
  for (const locale of [...locales, "nan_TW.UTF-8", "eo.UTF-8", "ca_ES.UTF-8@valencia"])
    t.strictSame(tryRender({ locale }).findings, [], locale);
});

t.test("a time zone that is nearly right is told", async (t) => {
  for (const timezone of ["europe/zurich", "Europe/Zurch"])
    t.match(tryRender({ timezone }).findings, [{ hint: "did you mean `Europe/Zurich`?" }]);
});

t.test("entries keep their place and number behind one that does not fit", async (t) => {
  const { spec, origins } = translateText(`#firstlight
templates:
  - bad
  - name: docker-hots
  - 7
  - { name: docker-host, parameters: { users: [root, ghost] } }
users:
  alice: { sudo: [[], "%wheel ALL=ALL"] }
files:
  - { path: 7, content: x }
  - { path: /etc/hosts, content: x }
`);
  t.strictSame(linesOf(tryRender(spec, { origins })), [
    "error render/rule 8:23 users.alice.sudo.1",
    "warning render/owned-path 11:5 files.1",
    "error render/template-unknown 4:11 templates.1.name",
    "warning render/user-unknown 6:54 templates.3.parameters.users.1",
  ]);
});

t.test(
  "the examples of the modules of cloud-config name no account that is not there",
  async (t) => {
    for (const { name, example } of cloudConfigModules) {
      const translation = translateText(`#cloud-config\n${example}`);
      const credentials = credentialsOf(translation.spec);
      const { findings } = tryRender(translation.spec, { credentials, anyOption: true });
      t.notOk(
        findings.some(({ code }) => code === "render/user-unknown"),
        name,
      );
    }
  },
);

t.test("rules of programs that are there are not warned of", async (t) => {
  const sudo = [
    "ALL=(ALL) NOPASSWD:ALL",
    "ALL=(root) NOPASSWD: /run/current-system/sw/bin/systemctl, /run/wrappers/bin/mount",
    "ALL=(root) /bin/sh /opt/bin/own, /usr/bin/env",
    "ALL=(root) /usr/local/bin/own --now",
    "ALL=(root) /nix/store/x/bin/y",
  ];
  const files = [{ path: "/usr/local/bin/own", content: "" }];
  t.same(tryRender({ users: { a: { sudo } }, files }).findings, []);
});

t.test(
  "a package that is not free passes where that is allowed, by its own option alone",
  async (t) => {
    const said = (option: string) =>
      tryRender({ packages: ["vscode"], options: { [option]: true } }).findings.map(
        ({ code }) => code,
      );
    t.same(said("nixpkgs.config.allowUnfree"), []);
    t.same(said("nixpkgs.config.allowBroken"), ["render/unfree-package"]);
  },
);

t.test("a root file system that grows, or that an image says, is grown", async (t) => {
  const spec = { options: { 'fileSystems."/".autoResize': true } };
  for (const platform of [rootOf("ext4"), rootOf("btrfs"), null]) {
    const result = tryRender(spec, { base: { platform } });
    t.strictSame(result.findings, []);
    t.match(fileOf(result, "firstlight/instance.nix"), /autoResize = true;/);
  }
});
