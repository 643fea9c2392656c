import t from "tap";
import { checkCases } from "./check-cases.ts";

const command = (name: string, when: "early" | "late") => ({
  name,
  when,
  frequency: "instance" as const,
  script: { secretRef: name },
});

checkCases(t, [
  {
    name: "bytes go to the kernel, once per instance, and are a secret",
    yaml: "random_seed: {data: secret, encoding: raw}\n",
    spec: { commands: [command("seed-random", "early")] },
    secrets: { "seed-random": "#!/bin/sh\nprintf %s c2VjcmV0 | base64 -d >> /dev/urandom\n" },
  },
  {
    name: "or are added to a file; they may be encoded",
    yaml: "random_seed: {data: c2VjcmV0, encoding: b64, file: /root/my seed}\n",
    spec: { commands: [command("seed-random", "early")] },
    secrets: { "seed-random": "#!/bin/sh\nprintf %s c2VjcmV0 | base64 -d >> '/root/my seed'\n" },
  },
  {
    name: "a command runs when the network is up",
    yaml: 'random_seed: {command: [pollinate, "it\'s"], command_required: true}\n',
    spec: { commands: [command("seed-random-command", "late")] },
    secrets: {
      "seed-random-command":
        "#!/bin/sh\nexport RANDOM_SEED_FILE=/dev/urandom\npollinate 'it'\\''s'\n",
    },
  },
  {
    name: "one that is not there is no fault unless it must be",
    yaml: "random_seed: {command: [pollinate]}\n",
    spec: { commands: [command("seed-random-command", "late")] },
    secrets: {
      "seed-random-command":
        "#!/bin/sh\ncommand -v pollinate > /dev/null || exit 0\nexport RANDOM_SEED_FILE=/dev/urandom\npollinate\n",
    },
  },
  { name: "an empty section says nothing", yaml: "random_seed: {}\n", spec: {} },
  {
    name: "wrong types in each place",
    yaml: "random_seed: {data: [a], encoding: x, command: y, command_required: 7}\n",
    spec: {},
    says: [
      "error user-data/wrong-type 2:21 random_seed.data",
      "warning cloud-config/unknown-value 2:26 random_seed.encoding",
      "error user-data/wrong-type 2:48 random_seed.command",
      "error user-data/wrong-type 2:69 random_seed.command_required",
    ],
  },
  {
    name: "a path begins with a slash",
    yaml: "random_seed: {file: seed}\n",
    spec: {},
    says: ["error user-data/wrong-type 2:21 random_seed.file"],
  },
  {
    name: "a text is no section",
    yaml: "random_seed: x\n",
    spec: {},
    says: ["error user-data/wrong-type 2:14 random_seed"],
  },
]);
