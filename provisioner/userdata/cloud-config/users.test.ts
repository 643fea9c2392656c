import t from "tap";
import { canonicalJson } from "#core/canonical-json.ts";
import { plainDefaultUser as nixos, translateCloud } from "../sample-translation.ts";
import { checkCases } from "./check-cases.ts";

const hash = "$6$saltsalt$hashhashhashhash";
const metaKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5M";
const redirected = (name: string) =>
  `no-port-forwarding,no-agent-forwarding,no-X11-forwarding,command="echo 'Log in as nixos: ${name} takes no logins.'; sleep 10; exit 142" ${metaKey}`;

/** A user alone, so that the default user does not stand beside it. */
const alone = (keys: string) => `users:\n  - name: a\n    ${keys}\n`;
const a = (fields: object) => ({ users: { a: { locked: true, ...fields } } });

checkCases(t, [
  { name: "without a word there is the default user", yaml: "", spec: {} },
  { name: "an empty list has no users", yaml: "users: []\n", spec: {} },
  {
    name: "names in every form",
    yaml: "users: [default, 'b,c', [d, e]]\n",
    spec: {
      users: { b: { locked: true }, c: { locked: true }, d: { locked: true }, e: { locked: true } },
    },
  },
  {
    name: "one text with commas",
    yaml: "users: a, default\n",
    spec: a({}),
  },
  {
    name: "the keys of one user where the dash before them is missing",
    yaml: "users:\n  name: alice\n  sudo: ALL=(ALL) ALL\n  groups: [wheel]\n",
    spec: {},
    says: ["error user-data/wrong-type 3:3 users"],
  },
  {
    name: "a mapping by name: a mapping of keys, or whether the user is wanted",
    yaml: "users: {a: {uid: 7, name: other}, b: no, default: yes}\n",
    spec: a({ uid: 7 }),
  },
  {
    name: "every key of a user that NixOS has a word for",
    yaml: `users:
  - name: a
    gecos: Alice A.
    uid: '1001'
    homedir: /srv/a
    primary_group: staff
    groups: docker, kvm
    system: true
    no_create_home: true
    shell: /usr/bin/zsh
    ssh_authorized_keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5A]
    lock_passwd: false
    hashed_passwd: ${hash}
    sudo: [null, "ALL=(ALL) ALL"]
    doas: [permit a as root]
    expiredate: '2027-12-31'
`,
    spec: a({
      description: "Alice A.",
      uid: 1001,
      home: "/srv/a",
      primaryGroup: "staff",
      groups: ["docker", "kvm"],
      system: true,
      createHome: false,
      shell: "zsh",
      authorizedKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5A"],
      locked: false,
      passwordHash: { secretRef: "user-a-password" },
      sudo: ["ALL=(ALL) ALL"],
      doas: ["permit a as root"],
      expires: "2027-12-31",
    }),
    secrets: { "user-a-password": hash },
    says: ["warning user-data/no-value 15:12 users.0.sudo.0"],
  },
  {
    name: "an uid with a decimal point",
    yaml: alone("uid: 1000.0"),
    spec: a({ uid: 1000 }),
    says: ["warning user-data/taken-as-whole 4:10 users.0.uid"],
  },
  {
    name: "empty texts, as templates leave them, are absent",
    yaml: alone("uid: ''\n    homedir: ''\n    shell: ''\n    expiredate: ''\n    sudo: ''"),
    spec: a({}),
    says: [
      "warning user-data/no-value 4:10 users.0.uid",
      "warning user-data/no-value 5:14 users.0.homedir",
      "warning user-data/no-value 6:12 users.0.shell",
      "warning user-data/no-value 7:17 users.0.expiredate",
      "warning user-data/no-value 8:11 users.0.sudo",
    ],
  },
  ...Object.entries({
    "1.0": "1.0",
    "1.0e+3": "1000.0",
    "5.": "5.0",
    "1.0e-7": "1e-07",
    "0.00001": "1e-05",
    "-0.0": "-0.0",
    "1.50": "1.5",
    "100000000000000000.0": "1e+17",
    1: "1",
  }).map(([written, description]) => ({
    name: `${written} is the text of Python`,
    yaml: alone(`gecos: ${written}`),
    spec: a({ description }),
    says: ["warning user-data/taken-as-text 4:12 users.0.gecos"],
  })),
  ...Object.entries({ ".inf": "inf", "-.INF": "-inf", ".nan": "nan" }).map(
    ([written, description]) => ({
      name: `${written} is the text of Python`,
      yaml: alone(`gecos: ${written}`),
      spec: a({ description }),
      says: ["note yaml/kept-as-text 4:12 users.0.gecos"],
    }),
  ),
  {
    name: "a system user can be entered as on Debian, and has a home that is not made",
    yaml: alone("system: true\n    ssh_authorized_keys: [ssh-rsa AAAAB3NzaC1yc2Ek]"),
    spec: a({
      system: true,
      shell: "bash",
      home: "/home/a",
      authorizedKeys: ["ssh-rsa AAAAB3NzaC1yc2Ek"],
    }),
  },
  ...["2030-13-45", "2027-02-29", "0000-01-01"].map((day) => ({
    name: `${day} is no day`,
    yaml: alone(`expiredate: '${day}'`),
    spec: a({}),
    says: ["error spec/invalid 4:17 users.a.expires"],
  })),
  {
    name: "a main group of Debian is mapped as the others are",
    yaml: alone("primary_group: sudo"),
    spec: a({ primaryGroup: "wheel" }),
    says: ["note cloud-config/group-mapped 4:20 users.0.primary_group"],
  },
  {
    name: "old spellings with -",
    yaml: alone(
      "lock-passwd: false\n    ssh-authorized-keys: [ssh-rsa AAAAB3NzaC1yc2Ek]\n    primary-group: g",
    ),
    spec: a({ locked: false, authorizedKeys: ["ssh-rsa AAAAB3NzaC1yc2Ek"], primaryGroup: "g" }),
  },
  {
    name: "keys that NixOS cannot express are named",
    yaml: alone(
      "selinux_user: x\n    snapuser: me@example.org\n    no_log_init: true\n    create_groups: false\n    colour: red",
    ),
    spec: a({}),
    says: [
      "warning cloud-config/unsupported-key 4:5 users.0.selinux_user",
      "warning cloud-config/unsupported-key 5:5 users.0.snapuser",
      "note cloud-config/no-meaning 6:5 users.0.no_log_init",
      "note cloud-config/no-meaning 7:5 users.0.create_groups",
      "warning cloud-config/unsupported-key 8:5 users.0.colour",
    ],
  },
  {
    name: "days after which an expired account is closed are set by a command",
    yaml: "users: [{name: a, inactive: '5'}, {name: b, inactive: 7}, {name: c, inactive: soon}, {name: d, inactive: 100000}]\n",
    spec: {
      users: {
        a: { locked: true },
        b: { locked: true },
        c: { locked: true },
        d: { locked: true },
      },
      commands: [
        {
          name: "inactive-users",
          when: "early",
          frequency: "instance",
          script: { secretRef: "inactive-users" },
        },
      ],
    },
    secrets: {
      "inactive-users":
        "#!/bin/sh\ncode=0\nchage -I 5 'a' || code=1\nchage -I 7 'b' || code=1\nexit $code\n",
    },
    says: [
      "error user-data/wrong-type 2:79 users.2.inactive",
      "error user-data/wrong-type 2:106 users.3.inactive",
    ],
  },
  {
    name: "who is redirected has the keys of the meta-data, which only tell where to log in",
    yaml: "users: [default, {name: a, ssh_redirect_user: true}, {name: b, ssh-redirect-user: default}]\n",
    spec: {
      users: {
        nixos: { ...nixos, authorizedKeys: [metaKey] },
        a: { locked: true, authorizedKeys: [redirected("a")] },
        b: { locked: true, authorizedKeys: [redirected("b")] },
      },
    },
    context: { publicKeys: [metaKey] },
  },
  {
    name: "who is redirected has no keys of its own, and somewhere to go",
    yaml: "users: [{name: a, ssh_redirect_user: true}, {name: b, ssh_redirect_user: perhaps}]\n",
    spec: { users: { a: { locked: true }, b: { locked: true } } },
    says: [
      "warning cloud-config/no-default-user 2:19 users.0.ssh_redirect_user",
      "error user-data/wrong-type 2:74 users.1.ssh_redirect_user",
    ],
  },
  {
    name: "redirected, with a key of its own",
    yaml: "users: [default, {name: a, ssh_redirect_user: true, ssh_authorized_keys: [ssh-rsa AAAAB3NzaC1yc2Ek]}]\n",
    spec: a({ authorizedKeys: ["ssh-rsa AAAAB3NzaC1yc2Ek"] }),
    says: ["error user-data/wrong-type 2:47 users.1.ssh_redirect_user"],
  },
  {
    name: "keys of accounts elsewhere come beside its own",
    yaml: alone(
      "ssh_authorized_keys: [ssh-rsa AAAAB3NzaC1yc2Ek]\n    ssh_import_id: 'gh:bob, alice'",
    ),
    spec: a({ authorizedKeys: ["ssh-rsa AAAAB3NzaC1yc2Ek", metaKey] }),
    context: {
      fetched: new Map([
        ["https://github.com/bob.keys", Buffer.from(`${metaKey}\n`)],
        ["https://launchpad.net/~alice/+sshkeys", Buffer.from(`# alice\n${metaKey}\nnone\n`)],
      ]),
    },
  },
  {
    name: "keys of accounts that could not be read, or that are none",
    yaml: alone("ssh_import_id: [gh:bob, 'ftp:x', {a: b}]"),
    spec: a({}),
    says: [
      "error cloud-config/source-unavailable 4:21 users.0.ssh_import_id.0",
      "warning cloud-config/unknown-value 4:29 users.0.ssh_import_id.1",
      "error user-data/wrong-type 4:38 users.0.ssh_import_id.2",
    ],
  },
  {
    name: "no redirect is nothing to say",
    yaml: alone("ssh_redirect_user: false"),
    spec: a({}),
  },
  {
    name: "a snap user is none",
    yaml: "users: [{snapuser: me@example.org}]\n",
    spec: {},
    says: ["warning cloud-config/unsupported-key 2:9 users.0"],
  },
  {
    name: "no group of its own",
    yaml: alone("no_user_group: true"),
    spec: a({ primaryGroup: "users" }),
  },
  {
    name: "groups of Debian with the rights of others",
    yaml: alone("groups: [sudo, admin, adm, users]"),
    spec: a({ groups: ["wheel", "systemd-journal", "users"] }),
    says: [
      "note cloud-config/group-mapped 4:14 users.0.groups.0",
      "note cloud-config/group-mapped 4:20 users.0.groups.1",
      "note cloud-config/group-mapped 4:27 users.0.groups.2",
    ],
  },
  {
    name: "groups as a mapping",
    yaml: alone("groups: {g: , h: }"),
    spec: a({ groups: ["g", "h"] }),
  },
  { name: "no sudo", yaml: alone("sudo: false\n    doas: []"), spec: a({}) },
  {
    name: "sudo as text",
    yaml: alone('sudo: "ALL=(ALL) ALL"'),
    spec: a({ sudo: ["ALL=(ALL) ALL"] }),
  },
  {
    name: "keys as one text and as a mapping",
    yaml: "users: [{name: a, ssh_authorized_keys: ssh-rsa AAAAB3NzaC1yc2Ek}, {name: b, ssh_authorized_keys: {x: ssh-rsa AAAAB3NzaC1yc2Ek, y: ssh-rsa AAAAB3NzaC1yc2El}}]\n",
    spec: {
      users: {
        a: { locked: true, authorizedKeys: ["ssh-rsa AAAAB3NzaC1yc2Ek"] },
        b: {
          locked: true,
          authorizedKeys: ["ssh-rsa AAAAB3NzaC1yc2Ek", "ssh-rsa AAAAB3NzaC1yc2El"],
        },
      },
    },
  },
  ...Object.entries({
    "/bin/bash": "bash",
    "/bin/sh": "bash",
    "/usr/bin/fish": "fish",
    dash: "dash",
    "/usr/bin/nu": "nushell",
    "/usr/sbin/nologin": "nologin",
    "/bin/false": "nologin",
    false: "nologin",
  } as const).map(([written, shell]) => ({
    name: `the shell ${written}`,
    yaml: alone(`shell: ${written}`),
    spec: a({ shell }),
  })),
  {
    name: "an unknown shell is named and the default is kept",
    yaml: alone("shell: /bin/ksh"),
    spec: a({}),
    says: ["warning cloud-config/unknown-shell 4:5 users.0.shell"],
  },
  {
    name: "a hash without lock_passwd does not count, and that is said",
    yaml: alone(`passwd: ${hash}`),
    spec: a({ passwordHash: { secretRef: "user-a-password" } }),
    secrets: { "user-a-password": hash },
    says: ["note cloud-config/locked 4:13 users.0.passwd"],
  },
  {
    name: "hashed_passwd counts more than plain_text_passwd, and that more than passwd",
    yaml: alone(
      `lock_passwd: false\n    passwd: $6$a$b\n    plain_text_passwd: x\n    hashed_passwd: ${hash}`,
    ),
    spec: a({ locked: false, passwordHash: { secretRef: "user-a-password" } }),
    secrets: { "user-a-password": hash },
    says: [
      "note cloud-config/overridden 5:5 users.0.passwd",
      "note cloud-config/overridden 6:5 users.0.plain_text_passwd",
    ],
  },
  {
    name: "a password that is no hash is refused, also one that looks like an old hash",
    yaml: alone("passwd: abcdefghijklm"),
    spec: a({}),
    says: ["error cloud-config/not-a-hash 4:13 users.0.passwd"],
  },
  {
    name: "a password in plain text is hashed at once",
    yaml: alone("plain_text_passwd: hunter2"),
    spec: a({ passwordHash: { secretRef: "user-a-password" } }),
    secrets: {
      "user-a-password":
        "$6$Esa4F4wHvkTnkdwN$hF2MumRB/p9Ix9AKVH4FZmOI30L1KO54QI5mafaz1agYLkCtHAyPlCWcGmwBURPC113Akvu3Ka9OBERYKX2by1",
    },
    context: { instanceId: "i-1" },
    says: ["note cloud-config/locked 4:24 users.0.plain_text_passwd"],
  },
  {
    name: "a password in plain text that crypt does not take",
    yaml: alone("plain_text_passwd: [a]\n    passwd: {b: c}"),
    spec: a({}),
    says: [
      "error user-data/wrong-type 4:24 users.0.plain_text_passwd",
      "note cloud-config/overridden 5:5 users.0.passwd",
    ],
  },
  {
    name: "several entries are one user, of each key the first counts",
    yaml: "users: [a, {name: a, uid: 5}, {name: a, uid: 6, homedir: /x}]\n",
    spec: a({ uid: 5, home: "/x" }),
    says: ["note cloud-config/overridden 2:41 users.2.uid"],
  },
  {
    name: "`user` renames the default user",
    yaml: "user: ops\n",
    spec: { users: { ops: nixos } },
  },
  {
    name: "`user` changes it, and adds it to users that leave it out",
    yaml: "user: {name: ops, groups: [docker], sudo: null, shell: /bin/zsh}\nusers: [a]\n",
    spec: {
      users: { ops: { groups: ["docker"], locked: true, shell: "zsh" }, a: { locked: true } },
    },
    says: ["warning user-data/no-value 2:43 user.sudo"],
  },
  { name: "an empty `user` changes nothing", yaml: "user: {}\n", spec: {} },
  {
    name: "`default` with keys changes it too, and keeps its groups",
    yaml: "users: [{name: default, groups: [docker], uid: 1000}]\n",
    spec: { users: { nixos: { ...nixos, groups: ["wheel", "docker"], uid: 1000 } } },
  },
  {
    name: "so does an entry with its real name",
    yaml: "users: [default, {name: nixos, sudo: 'ALL=(ALL) ALL'}]\n",
    spec: { users: { nixos: { ...nixos, sudo: ["ALL=(ALL) ALL"] } } },
  },
  {
    name: "an entry without a name is about the default user, as in cloud-init, and that is said",
    yaml: "users: [{uid: 1000}]\n",
    spec: { users: { nixos: { ...nixos, uid: 1000 } } },
    says: ["warning cloud-config/no-name 2:9 users.0"],
  },
  {
    name: "an entry that is no user",
    yaml: "users: [7, true, ~]\n",
    spec: {},
    says: [
      "warning user-data/taken-as-text 2:9 users.0",
      "error spec/invalid 2:9 7",
      "warning user-data/taken-as-text 2:12 users.1",
      "error spec/invalid 2:12 True",
      "warning user-data/no-value 2:18 users.2",
    ].map((line) => line.replace(" 7", " users.7").replace(" True", " users.True")),
  },
  {
    name: "texts where other kinds belong",
    yaml: alone("uid: x\n    homedir: 7\n    system: perhaps\n    gecos: 42"),
    spec: a({ description: "42" }),
    says: [
      "error user-data/wrong-type 4:10 users.0.uid",
      "error user-data/wrong-type 5:14 users.0.homedir",
      "error user-data/wrong-type 6:13 users.0.system",
      "warning user-data/taken-as-text 7:12 users.0.gecos",
    ],
  },
  {
    name: "what would make another line of passwd or sudoers is refused",
    yaml: alone('gecos: "a:b"\n    sudo: "ALL\\nroot ALL"\n    homedir: relative'),
    spec: a({ sudo: [] }),
    says: [
      "error spec/invalid 4:12 users.a.description",
      "error spec/invalid 5:17 users.a.sudo.0",
      "error spec/invalid 6:14 users.a.home",
    ],
  },
  {
    name: "groups in every form",
    yaml: "groups: [g, 'h, i', {j: [a, b], k: c, l: , j2: 'd, e'}, {j: [b, f]}]\n",
    spec: {
      groups: {
        g: {},
        h: {},
        i: {},
        j: { members: ["a", "b", "f"] },
        k: { members: ["c"] },
        l: {},
        j2: { members: ["d", "e"] },
      },
    },
    says: ["warning user-data/no-value 2:41 groups.2.l"],
  },
  {
    name: "groups as text and as a mapping",
    yaml: "groups: {sudo: a}\n",
    spec: { groups: { wheel: { members: ["a"] } } },
    says: ["note cloud-config/group-mapped 2:16 groups.sudo"],
  },
]);

t.test("names that every object inherits are names like any other", async (t) => {
  const { spec } = translateCloud(
    "groups: [__proto__]\nusers: [{name: constructor, uid: 5}, {name: __proto__, uid: 6}]\n",
  );
  t.equal(
    canonicalJson(spec),
    '{"groups":{"__proto__":{}},"users":{"__proto__":{"locked":true,"uid":6},"constructor":{"locked":true,"uid":5}},"version":1}',
  );
});

t.test("nothing is set on what all objects inherit", async (t) => {
  t.strictSame(Object.keys(Object.prototype), []);
  t.equal(Reflect.get({}, "locked"), undefined);
});

t.test("a name that stands as a key in the list is told apart from no name", async (t) => {
  const hintOf = (yaml: string) =>
    translateCloud(yaml).findings.find(({ code }) => code === "cloud-config/no-name")?.hint ?? "";
  t.match(hintOf("users: [{bob: {uid: 7}}]\n"), /write it behind `name`/);
  t.match(hintOf("users: [{uid: 7}]\n"), /add `name: default`/);
});

t.test("what is of the wrong kind is named with a way to write it", async (t) => {
  const hintOf = (yaml: string) => translateCloud(yaml).findings[0]?.hint;
  t.match(hintOf("users: [{name: a, uid: -1}]\n"), "digits alone");
  t.match(hintOf("ntp: {servers: a.example.org}\n"), "in brackets");
  t.match(hintOf("keyboard: ch\n"), "{ layout: ch }");
  t.match(hintOf("write_files: [{path: /a, permissions: '0999'}]\n"), "from 0 to 7");
  t.match(translateCloud("users: [{name: a, groups: [libvirt]}]\n").spec.users, {
    a: { groups: ["libvirtd"] },
  });
});
