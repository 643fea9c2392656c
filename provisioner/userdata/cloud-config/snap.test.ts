import t from "tap";
import { checkCases } from "./check-cases.ts";

checkCases(t, [
  {
    name: "what snap would install is taken from nixpkgs",
    yaml: "snap: {commands: [[install, vlc], [snap, install, --classic, vlc], snap install jq core22]}\n",
    spec: { packages: ["vlc", "jq"] },
    says: [
      "warning cloud-config/package-snap 2:19 snap.commands.0",
      "warning cloud-config/package-snap 2:35 snap.commands.1",
      "warning cloud-config/package-snap 2:68 snap.commands.2",
      "note cloud-config/package-unneeded 2:68 snap.commands.2",
    ],
  },
  {
    name: "to hold updates back asks for nothing, other commands of snap are refused",
    yaml: "snap: {commands: {'0': snap refresh --hold=forever, '1': snap create-user --known a@b.c, '2': snap install}}\n",
    spec: {},
    says: [
      "note cloud-config/no-meaning 2:19 snap.commands.0",
      "warning cloud-config/unsupported-key 2:53 snap.commands.1",
      "warning cloud-config/unsupported-key 2:90 snap.commands.2",
    ],
  },
  {
    name: "what is no command of snap runs, in the order of its key",
    yaml: "snap: {commands: {b: echo b, a: apt-get update}}\n",
    spec: {
      commands: [
        {
          name: "snap-commands",
          when: "late",
          frequency: "instance",
          script: { secretRef: "snap-commands" },
        },
      ],
    },
    secrets: { "snap-commands": "#!/bin/sh\napt-get update\necho b\n" },
    says: ["warning cloud-config/package-manager 2:33 snap.commands.a"],
  },
  {
    name: "assertions are refused",
    yaml: "snap: {assertions: {'0': a}, commands: []}\n",
    spec: {},
    says: [
      "warning cloud-config/unsupported-key 2:8 snap.assertions",
      "note cloud-config/no-meaning 2:30 snap.commands",
    ],
  },
  {
    name: "wrong types in each place",
    yaml: "snap: {assertions: 1, commands: [2, [3], {a: b}]}\n",
    spec: {},
    says: [
      "error user-data/wrong-type 2:20 snap.assertions",
      "error user-data/wrong-type 2:34 snap.commands.0",
      "error user-data/wrong-type 2:38 snap.commands.1.0",
      "error user-data/wrong-type 2:42 snap.commands.2",
    ],
  },
  {
    name: "a text is no section",
    yaml: "snap: a\n",
    spec: {},
    says: ["error user-data/wrong-type 2:7 snap"],
  },
  {
    name: "commands are no text",
    yaml: "snap: {commands: a}\n",
    spec: {},
    says: ["error user-data/wrong-type 2:18 snap.commands"],
  },
]);
