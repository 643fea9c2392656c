import t from "tap";
import { checkCases } from "./check-cases.ts";

const probe = {
  health: {
    checks: [{ type: "command" as const, command: ["/etc/wireguard/readinessprobe-0"] }],
  },
  files: [
    {
      path: "/etc/wireguard/readinessprobe-0",
      secret: { secretRef: "wireguard-probe" },
      mode: "0700",
    },
  ],
};
const probeText = (line: string) =>
  `#!/bin/sh\nexport PATH=/run/wrappers/bin:/run/current-system/sw/bin\n${line}\n`;
const configFile = (name: string) => `networking.wg-quick.interfaces."${name}".configFile`;

checkCases(t, [
  {
    name: "an interface by a file that is a secret, and a probe",
    yaml: "wireguard:\n  interfaces:\n    - {name: wg0, config_path: /etc/wireguard/wg0.conf, content: key}\n  readinessprobe: [ping -c 1 192.0.2.1]\n",
    spec: {
      units: { "wg-quick-wg0.service": { credentials: [{ secretRef: "wireguard-wg0" }] } },
      options: {
        [configFile("wg0")]: "/run/credentials/wg-quick-wg0.service/wireguard-wg0",
      },
      ...probe,
    },
    secrets: { "wireguard-wg0": "key", "wireguard-probe": probeText("ping -c 1 192.0.2.1") },
  },
  {
    name: "of two of one name the first counts",
    yaml: "wireguard: {interfaces: [{name: a, content: x}, {name: a, content: y}]}\n",
    spec: {
      units: { "wg-quick-a.service": { credentials: [{ secretRef: "wireguard-a" }] } },
      options: { [configFile("a")]: "/run/credentials/wg-quick-a.service/wireguard-a" },
    },
    secrets: { "wireguard-a": "x" },
    says: ["warning cloud-config/overridden 2:49 wireguard.interfaces.1"],
  },
  {
    name: "where an interface listens is open",
    yaml: `wireguard:
  interfaces:
    - name: a
      content: |
        [Interface]
        # ListenPort = 1
        listenport=51820 # ours
    - {name: b, content: "[Interface]\\nListenPort = 70000\\n"}
`,
    spec: {
      firewall: { udpPorts: [51_820] },
      units: {
        "wg-quick-a.service": { credentials: [{ secretRef: "wireguard-a" }] },
        "wg-quick-b.service": { credentials: [{ secretRef: "wireguard-b" }] },
      },
      options: {
        [configFile("a")]: "/run/credentials/wg-quick-a.service/wireguard-a",
        [configFile("b")]: "/run/credentials/wg-quick-b.service/wireguard-b",
      },
    },
    secrets: {
      "wireguard-a": "[Interface]\n# ListenPort = 1\nlistenport=51820 # ours\n",
      "wireguard-b": "[Interface]\nListenPort = 70000\n",
    },
  },
  {
    name: "a probe is looked at as any command",
    yaml: "wireguard: {interfaces: [], readinessprobe: [apt-get install x]}\n",
    spec: probe,
    secrets: { "wireguard-probe": probeText("apt-get install x") },
    says: ["warning cloud-config/package-manager 2:46 wireguard.readinessprobe.0"],
  },
  {
    name: "wrong types and names in each place",
    yaml: 'wireguard: {interfaces: [a, {name: 1, content: 2, config_path: 3}, {name: "a b", content: x}, {content: x}, {name: b}], readinessprobe: [1]}\n',
    spec: {},
    says: [
      "error user-data/wrong-type 2:26 wireguard.interfaces.0",
      "error user-data/wrong-type 2:36 wireguard.interfaces.1.name",
      "error user-data/wrong-type 2:48 wireguard.interfaces.1.content",
      "error user-data/wrong-type 2:64 wireguard.interfaces.1.config_path",
      "error user-data/wrong-type 2:75 wireguard.interfaces.2.name",
      "error user-data/wrong-type 2:95 wireguard.interfaces.3",
      "error user-data/wrong-type 2:109 wireguard.interfaces.4",
      "error user-data/wrong-type 2:138 wireguard.readinessprobe.0",
    ],
  },
  {
    name: "an empty probe is none",
    yaml: "wireguard: {interfaces: [], readinessprobe: ['']}\n",
    spec: {},
    says: ["warning user-data/no-value 2:46 wireguard.readinessprobe.0"],
  },
  {
    name: "without interfaces it is none",
    yaml: "wireguard: {readinessprobe: []}\n",
    spec: {},
    says: ["error user-data/wrong-type 2:12 wireguard"],
  },
  {
    name: "a list is no section",
    yaml: "wireguard: [a]\n",
    spec: {},
    says: ["error user-data/wrong-type 2:12 wireguard"],
  },
]);
