import t from "tap";
import { checkCases } from "./check-cases.ts";

const enabled = { "services.salt.minion.enable": true };

const conf = {
  path: "/var/lib/salt/minion.d/cloud-config.conf",
  secret: { secretRef: "salt-minion-conf" },
  mode: "0600",
};
const restarted = { credentials: [{ secretRef: "salt-minion-conf" }] };

checkCases(t, [
  {
    name: "a configuration with grains, and a pair of keys",
    yaml: "salt_minion:\n  conf: {master: salt.example.org}\n  grains: {role: [edge]}\n  public_key: PUB\n  private_key: PRIV\n",
    spec: {
      files: [
        { path: "/var/lib/salt/pki/minion/minion.pub", content: "PUB", mode: "0644" },
        {
          path: "/var/lib/salt/pki/minion/minion.pem",
          secret: { secretRef: "salt-minion-key" },
          mode: "0400",
        },
        conf,
      ],
      units: { "salt-minion.service": restarted },
      options: enabled,
    },
    secrets: {
      "salt-minion-key": "PRIV",
      "salt-minion-conf":
        '{\n  "master": "salt.example.org",\n  "grains": {\n    "role": [\n      "edge"\n    ]\n  }\n}\n',
    },
  },
  {
    name: "without a master it is applied once, and the minion does not run",
    yaml: "salt_minion: {conf: {file_client: local}}\n",
    spec: {
      files: [conf],
      units: { "salt-minion.service": { ...restarted, enable: false } },
      commands: [
        {
          name: "salt-call",
          when: "late",
          frequency: "instance",
          script: { secretRef: "salt-call" },
        },
      ],
      options: enabled,
    },
    secrets: {
      "salt-minion-conf": '{\n  "file_client": "local"\n}\n',
      "salt-call": "#!/bin/sh\nsalt-call --local state.apply\n",
    },
  },
  {
    name: "files that it names itself are read as well",
    yaml: "salt_minion: {conf: {default_include: '/srv/*.conf', id: a}}\n",
    spec: {
      files: [conf],
      units: { "salt-minion.service": restarted },
      options: {
        ...enabled,
        "services.salt.minion.configuration": {
          default_include: "/srv/*.conf",
          include: ["/var/lib/salt/minion.d/cloud-config.conf"],
        },
      },
    },
    secrets: { "salt-minion-conf": '{\n  "id": "a"\n}\n' },
  },
  {
    name: "names of other systems have no meaning, a place of the keys has",
    yaml: "salt_minion: {pkg_name: a, service_name: b, config_dir: /c, pki_dir: /p, public_key: x, private_key: y}\n",
    spec: {
      files: [
        { path: "/p/minion.pub", content: "x", mode: "0644" },
        { path: "/p/minion.pem", secret: { secretRef: "salt-minion-key" }, mode: "0400" },
        conf,
      ],
      units: { "salt-minion.service": restarted },
      options: enabled,
    },
    secrets: { "salt-minion-key": "y", "salt-minion-conf": '{\n  "pki_dir": "/p"\n}\n' },
    says: [
      "note cloud-config/no-meaning 2:15 salt_minion.pkg_name",
      "note cloud-config/no-meaning 2:28 salt_minion.service_name",
      "note cloud-config/no-meaning 2:45 salt_minion.config_dir",
    ],
  },
  {
    name: "the place of the keys may be said in the configuration",
    yaml: "salt_minion: {conf: {pki_dir: /q}, public_key: x, private_key: y}\n",
    spec: {
      files: [
        { path: "/q/minion.pub", content: "x", mode: "0644" },
        { path: "/q/minion.pem", secret: { secretRef: "salt-minion-key" }, mode: "0400" },
        conf,
      ],
      units: { "salt-minion.service": restarted },
      options: enabled,
    },
    secrets: { "salt-minion-key": "y", "salt-minion-conf": '{\n  "pki_dir": "/q"\n}\n' },
  },
  {
    name: "one key alone is not used",
    yaml: "salt_minion: {private_key: y}\n",
    spec: { options: enabled },
    says: ["warning cloud-config/unsupported-key 2:15 salt_minion.private_key"],
  },
  {
    name: "wrong types in each place",
    yaml: "salt_minion: {conf: a, grains: [b], pkg_name: 1, public_key: [a], private_key: 2, pki_dir: 3}\n",
    spec: { options: enabled },
    says: [
      "error user-data/wrong-type 2:21 salt_minion.conf",
      "error user-data/wrong-type 2:32 salt_minion.grains",
      "error user-data/wrong-type 2:47 salt_minion.pkg_name",
      "warning cloud-config/unsupported-key 2:50 salt_minion.public_key",
      "error user-data/wrong-type 2:62 salt_minion.public_key",
      "warning cloud-config/unsupported-key 2:67 salt_minion.private_key",
      "error user-data/wrong-type 2:80 salt_minion.private_key",
      "error user-data/wrong-type 2:92 salt_minion.pki_dir",
    ],
  },
  {
    name: "a list is none",
    yaml: "salt_minion: [a]\n",
    spec: {},
    says: ["error user-data/wrong-type 2:14 salt_minion"],
  },
]);
