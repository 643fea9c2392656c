import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { plainDefaultUser, secretText, translateCloud } from "../sample-translation.ts";
import { checkCases } from "./check-cases.ts";

const hostKey = generateKeyPairSync("ed25519")
  .privateKey.export({ format: "pem", type: "pkcs8" })
  .toString()
  .trim();

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
    name: "options that come before the keys of root let it log in with them",
    yaml: 'disable_root_opts: no-pty,command="echo $USER, not $DISABLE_USER"\nssh_authorized_keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5A, \'from="192.0.2.1" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5B\']\n',
    spec: {
      users: {
        nixos: {
          ...plainDefaultUser,
          authorizedKeys: [
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5A",
            'from="192.0.2.1" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5B',
          ],
        },
        root: {
          authorizedKeys: [
            'no-pty,command="echo nixos, not root" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5A',
            'no-pty,command="echo nixos, not root",from="192.0.2.1" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5B',
          ],
        },
      },
      sshd: { permitRootLogin: "prohibit-password" },
    },
  },
  {
    name: "options that nothing is done with",
    yaml: "disable_root: false\ndisable_root_opts: no-pty\n",
    spec: { sshd: { permitRootLogin: "prohibit-password" } },
    says: ["note cloud-config/overridden 3:1 disable_root_opts"],
  },
  {
    name: "options of several lines, and of other kinds",
    yaml: 'disable_root_opts: "a\\nb"\n',
    spec: {},
    says: ["error user-data/wrong-type 2:20 disable_root_opts"],
  },
  {
    name: "keys that NixOS makes where they are missing",
    yaml: "ssh_genkeytypes: [rsa, dsa, ed25519, rsa, 7]\nssh_quiet_keygen: true\n",
    spec: {
      options: {
        "services.openssh.hostKeys": [
          { path: "/etc/ssh/ssh_host_rsa_key", type: "rsa", bits: 4096 },
          { path: "/etc/ssh/ssh_host_ed25519_key", type: "ed25519" },
        ],
      },
    },
    says: [
      "warning cloud-config/unknown-value 2:24 ssh_genkeytypes.1",
      "error user-data/wrong-type 2:43 ssh_genkeytypes.4",
      "note cloud-config/no-meaning 3:1 ssh_quiet_keygen",
    ],
  },
  {
    name: "none at all is not done",
    yaml: "ssh_genkeytypes: []\n",
    spec: {},
    says: ["note cloud-config/no-meaning 2:1 ssh_genkeytypes"],
  },
  {
    name: "a private host key is a secret, sshd waits for it, and its public key is made",
    yaml: `ssh_keys:\n  ed25519_private: |\n    ${hostKey.replaceAll("\n", "\n    ")}\nssh_genkeytypes: [rsa]\n`,
    spec: {
      options: {
        "services.openssh.hostKeys": [{ path: "/etc/ssh/ssh_host_ed25519_key", type: "ed25519" }],
      },
      files: [
        {
          path: "/etc/ssh/ssh_host_ed25519_key",
          secret: { secretRef: "ssh-host-ed25519-key" },
          mode: "0600",
        },
      ],
      units: {
        "sshd.service": {
          dropIn: "[Unit]\nAfter=firstlight-files.service\n",
          credentials: [{ secretRef: "ssh-host-ed25519-key" }],
        },
        "sshd-keygen.service": { dropIn: "[Unit]\nAfter=firstlight-files.service\n" },
      },
      commands: [
        {
          name: "ssh-public-keys",
          when: "early",
          frequency: "instance",
          script: { secretRef: "ssh-public-keys" },
        },
      ],
    },
    secrets: {
      "ssh-host-ed25519-key": `${hostKey}\n`,
      "ssh-public-keys":
        "#!/bin/sh\nssh-keygen -y -f /etc/ssh/ssh_host_ed25519_key > /etc/ssh/ssh_host_ed25519_key.pub && chmod 0644 /etc/ssh/ssh_host_ed25519_key.pub\n",
    },
    says: ["note cloud-config/overridden 7:1 ssh_genkeytypes"],
  },
  {
    name: "public keys and one certificate are files",
    yaml: "ssh_keys:\n  rsa_public: ssh-rsa AAAAB3NzaC1yc2Ek\n  rsa_certificate: ssh-rsa-cert-v01@openssh.com AAAAHHNzaC1yc2EtY2VydC12MDFAb3BlbnNzaC5jb20A\n  ed25519_certificate: ssh-rsa-cert-v01@openssh.com AAAAHHNzaC1yc2EtY2VydC12MDFAb3BlbnNzaC5jb20A\n",
    spec: {
      options: {
        "services.openssh.settings.HostCertificate": "/etc/ssh/ssh_host_rsa_key-cert.pub",
      },
      files: [
        {
          path: "/etc/ssh/ssh_host_rsa_key.pub",
          content: "ssh-rsa AAAAB3NzaC1yc2Ek\n",
          mode: "0644",
        },
        {
          path: "/etc/ssh/ssh_host_rsa_key-cert.pub",
          content: "ssh-rsa-cert-v01@openssh.com AAAAHHNzaC1yc2EtY2VydC12MDFAb3BlbnNzaC5jb20A\n",
          mode: "0644",
        },
      ],
    },
    says: ["warning cloud-config/unsupported-key 5:3 ssh_keys.ed25519_certificate"],
  },
  {
    name: "what is no host key, of every kind",
    yaml: "ssh_keys:\n  rsa_private: secret\n  ecdsa_private: [a]\n  dsa_private: x\n  rsa_public: x\n  ecdsa-sk_public: y\n  rsa: z\n",
    spec: {},
    says: [
      "warning cloud-config/not-a-host-key 3:3 ssh_keys.rsa_private",
      "error user-data/wrong-type 4:18 ssh_keys.ecdsa_private",
      "warning cloud-config/unknown-value 5:3 ssh_keys.dsa_private",
      "warning cloud-config/not-a-host-key 6:3 ssh_keys.rsa_public",
      "warning cloud-config/unknown-value 7:3 ssh_keys.ecdsa-sk_public",
      "warning cloud-config/unknown-value 8:3 ssh_keys.rsa",
    ],
  },
  ...["{enabled: true}", "{}", "{blacklist: [dsa]}"].map((written) => ({
    name: `host keys are told where the node reports: ${written}`,
    yaml: `ssh_publish_hostkeys: ${written}\n`,
    spec: { report: { hostKeys: true } },
  })),
  {
    name: "host keys are told whole, or not at all",
    yaml: "ssh_publish_hostkeys: {enabled: yes, blacklist: [dsa, rsa]}\n",
    spec: { report: { hostKeys: true } },
    says: ["warning cloud-config/unsupported-key 2:38 ssh_publish_hostkeys.blacklist"],
  },
  {
    name: "host keys that are not told",
    yaml: "ssh_publish_hostkeys: {enabled: false, blacklist: [rsa]}\n",
    spec: {},
  },
  {
    name: "host keys, of other kinds",
    yaml: "ssh_publish_hostkeys: {enabled: perhaps, blacklist: [7], other: 1}\n",
    spec: {},
    says: [
      "error user-data/wrong-type 2:33 ssh_publish_hostkeys.enabled",
      "error user-data/wrong-type 2:54 ssh_publish_hostkeys.blacklist.0",
      "warning cloud-config/unsupported-key 2:58 ssh_publish_hostkeys.other",
    ],
  },
  {
    name: "sections of other kinds",
    yaml: "ssh_keys: a\nssh_genkeytypes: {a: b}\nssh_deletekeys: perhaps\nssh_quiet_keygen: perhaps\nssh_publish_hostkeys: yes\n",
    spec: {},
    says: [
      "error user-data/wrong-type 2:11 ssh_keys",
      "error user-data/wrong-type 3:18 ssh_genkeytypes",
      "error user-data/wrong-type 4:17 ssh_deletekeys",
      "error user-data/wrong-type 5:19 ssh_quiet_keygen",
      "error user-data/wrong-type 6:23 ssh_publish_hostkeys",
    ],
  },
  {
    name: "neither yes nor no",
    yaml: "disable_root: [1]\n",
    spec: {},
    says: ["error user-data/wrong-type 2:15 disable_root"],
  },
]);

t.test("keys of the image go before the first commit of the instance, and no later", async (t) => {
  const translation = translateCloud("ssh_deletekeys: true\n", { instanceId: 'i "1"' });
  const script = secretText(translation, "ssh-delete-keys") ?? "";
  t.match(translation.spec.commands, [{ when: "early", frequency: "instance" }]);
  const left = (pinned: string) => {
    const dir = t.testdir({ bin: { systemctl: "#!/bin/sh\n" }, "pinned.json": pinned });
    for (const name of ["ssh_host_rsa_key", "ssh_host_rsa_key.pub", "sshd_config"]) {
      writeFileSync(join(dir, name), "");
    }
    const text = script
      .replaceAll("/etc/ssh", dir)
      .replace("/var/lib/firstlight/instance", dir)
      .replace("systemctl", "true");
    execFileSync("sh", ["-c", text]);
    return readdirSync(dir).filter((name) => name.startsWith("ssh"));
  };
  t.strictSame(left('{\n  "instanceId": "i-0"\n}\n'), ["sshd_config"]);
  t.equal(left('{\n  "instanceId": "i \\"1\\""\n}\n').length, 3);
});
