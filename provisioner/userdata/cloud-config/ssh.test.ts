import t from "tap";
import { plainDefaultUser } from "../sample-translation.ts";
import { checkCases } from "./check-cases.ts";

const withKeys = (...authorizedKeys: string[]) => ({
  users: { nixos: { ...plainDefaultUser, authorizedKeys } },
});

checkCases(t, [
  {
    name: "keys go to the default user, those of the meta-data first",
    yaml: "ssh_authorized_keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5A, ssh-ed25519 AAAAC3NzaC1lZDI1NTE5M]\n",
    spec: withKeys("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5M", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5A"),
    context: { publicKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5M"] },
  },
  {
    name: "the meta-data's keys can be left out",
    yaml: "allow_public_ssh_keys: false\nssh_authorized_keys: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5A\n",
    spec: withKeys("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5A"),
    context: { publicKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5M"] },
  },
  {
    name: "lines of one text are keys, comments and empty lines are none",
    yaml: "ssh_authorized_keys:\n  - |\n    # ops\n    ssh-ed25519 AAAAC3NzaC1lZDI1NTE5A\n\n    ssh-ed25519 AAAAC3NzaC1lZDI1NTE5B\n",
    spec: withKeys("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5A", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5B"),
  },
  {
    name: "what looks like no key is kept and named; nothing vanishes without a word",
    yaml: "ssh_authorized_keys:\n  - ssh-rsa notakey\n  - ''\n  - '# ops'\n  - 'from=\"192.0.2.0/24\" sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tA me'\n  - ssh-rsa-cert-v01@openssh.com AAAAHHNzaC1yc2EtY2VydC12MDFAb3BlbnNzaC5jb20A\n",
    spec: withKeys(
      "ssh-rsa notakey",
      'from="192.0.2.0/24" sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tA me',
      "ssh-rsa-cert-v01@openssh.com AAAAHHNzaC1yc2EtY2VydC12MDFAb3BlbnNzaC5jb20A",
    ),
    says: [
      "warning cloud-config/not-a-key 3:5 ssh_authorized_keys.0",
      "warning user-data/no-value 4:5 ssh_authorized_keys.1",
      "warning cloud-config/not-a-key 5:5 ssh_authorized_keys.2",
    ],
  },
  {
    name: "a private key goes no further",
    yaml: "ssh_authorized_keys: ['-----BEGIN OPENSSH PRIVATE KEY-----']\n",
    spec: {},
    says: ["error user-data/wrong-type 2:23 ssh_authorized_keys.0"],
  },
  {
    name: "without a default user they are given to nobody, and that is said",
    yaml: "users: [alice]\nssh_authorized_keys:\n  - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5A\nallow_public_ssh_keys: true\n",
    spec: { users: { alice: { locked: true } } },
    says: ["warning cloud-config/no-default-user 4:3 ssh_authorized_keys"],
  },
  {
    name: "those of the meta-data too",
    yaml: "users: []\n",
    spec: {},
    says: ["warning cloud-config/no-default-user 2:8 users"],
    context: { publicKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5M"] },
  },
  {
    name: "root gets them too when it may log in",
    yaml: "disable_root: false\nssh_authorized_keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5A]\n",
    spec: {
      ...{
        users: {
          ...withKeys("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5A").users,
          root: { authorizedKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5A"] },
        },
      },
      sshd: { permitRootLogin: "prohibit-password" },
    },
  },
  {
    name: "a root that may not log in has no use for keys",
    yaml: "disable_root: true\nusers: [{name: root, ssh_authorized_keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5R]}]\n",
    spec: {
      sshd: { permitRootLogin: "no" },
      users: { root: { authorizedKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5R"], locked: true } },
    },
    says: ["warning cloud-config/overridden 2:15 disable_root"],
  },
  {
    name: "password logins",
    yaml: "ssh_pwauth: yes\n",
    spec: { sshd: { passwordAuthentication: true } },
  },
  {
    name: "password logins as text",
    yaml: "ssh_pwauth: 'no'\n",
    spec: { sshd: { passwordAuthentication: false } },
  },
  { name: "password logins left alone", yaml: "ssh_pwauth: unchanged\n", spec: {} },
  {
    name: "neither yes nor no",
    yaml: "ssh_pwauth: perhaps\ndisable_root: [1]\n",
    spec: {},
    says: [
      "error user-data/wrong-type 2:13 ssh_pwauth",
      "error user-data/wrong-type 3:15 disable_root",
    ],
  },
]);
