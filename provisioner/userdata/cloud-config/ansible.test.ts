import t from "tap";
import { checkCases } from "./check-cases.ts";

const spec = {
  packages: ["ansible", "git"],
  commands: [
    {
      name: "ansible",
      when: "late" as const,
      frequency: "instance" as const,
      script: { secretRef: "ansible" },
    },
  ],
};
const script = (...lines: readonly string[]) => ({
  ansible: `#!/bin/sh\n${["set -e", ...lines].join("\n")}\n`,
});

checkCases(t, [
  {
    name: "playbooks are pulled, with the flags that are named",
    yaml: "ansible:\n  package_name: ansible-core\n  ansible_config: /etc/ansible.cfg\n  pull:\n    - {url: https://a/b.git, playbook_names: [a.yml, b.yml], diff: true, full: false, module_path: /m, sleep: 3}\n    - {url: c, playbook_name: 'd e.yml'}\n",
    spec,
    secrets: script(
      "export ANSIBLE_CONFIG=/etc/ansible.cfg",
      "ansible-pull --url=https://a/b.git --diff --module-path=/m --sleep=3 a.yml b.yml",
      "ansible-pull --url=c 'd e.yml'",
    ),
  },
  {
    name: "a controller as a user, in cloud-init's order",
    yaml: "ansible:\n  run_user: ops\n  setup_controller:\n    run_ansible: [{playbook_dir: /r, playbook_name: a.yml, forks: 1}, {playbook_name: b.yml}]\n    repositories: [{path: /r, source: s}]\n  galaxy: {actions: [[ansible-galaxy, collection, install, x]]}\n",
    spec,
    secrets: script(
      "su - ops -c 'set -e",
      "ansible-galaxy collection install x",
      "git clone s /r",
      "(cd /r && ansible-playbook a.yml --forks=1)",
      "ansible-playbook b.yml'",
    ),
  },
  {
    name: "one pull, and one action in a list of words",
    yaml: "ansible: {pull: {url: a, playbook_names: [b]}, galaxy: {actions: [ansible-galaxy, x]}}\n",
    spec,
    secrets: script("ansible-galaxy x", "ansible-pull --url=a b"),
  },
  {
    name: "how it is installed has no meaning; without work there is no script",
    yaml: "ansible: {install_method: pip, package_name: ansible}\n",
    spec: { packages: ["ansible", "git"] },
    says: ["note cloud-config/no-meaning 2:11 ansible.install_method"],
  },
  {
    name: "unknown names",
    yaml: "ansible: {install_method: x, package_name: y}\n",
    spec: { packages: ["ansible", "git"] },
    says: [
      "warning cloud-config/unknown-value 2:11 ansible.install_method",
      "warning cloud-config/package-name 2:30 ansible.package_name",
    ],
  },
  {
    name: "wrong types in each place",
    yaml: "ansible:\n  run_user: 1\n  ansible_config: [a]\n  pull: [a, {url: b}, {url: [1], playbook_names: [c], 'a b': d}]\n  galaxy: {actions: a}\n  setup_controller: {repositories: [a], run_ansible: [b, {playbook_name: 1}]}\n",
    spec,
    secrets: script("ansible-pull c"),
    says: [
      "error user-data/wrong-type 3:13 ansible.run_user",
      "error user-data/wrong-type 4:19 ansible.ansible_config",
      "error user-data/wrong-type 5:10 ansible.pull.0",
      "error user-data/wrong-type 5:13 ansible.pull.1",
      "error user-data/wrong-type 5:29 ansible.pull.2.url",
      "warning cloud-config/unsupported-key 5:55 ansible.pull.2.a b",
      "error user-data/wrong-type 6:21 ansible.galaxy.actions",
      "error user-data/wrong-type 7:37 ansible.setup_controller.repositories.0",
      "error user-data/wrong-type 7:55 ansible.setup_controller.run_ansible.0",
      "error user-data/wrong-type 7:58 ansible.setup_controller.run_ansible.1",
      "error user-data/wrong-type 7:74 ansible.setup_controller.run_ansible.1.playbook_name",
    ],
  },
  {
    name: "sections of other kinds",
    yaml: "ansible: {galaxy: [a], pull: b, setup_controller: c}\n",
    spec: { packages: ["ansible", "git"] },
    says: [
      "error user-data/wrong-type 2:19 ansible.galaxy",
      "error user-data/wrong-type 2:30 ansible.pull",
      "error user-data/wrong-type 2:51 ansible.setup_controller",
    ],
  },
  {
    name: "an empty one says nothing",
    yaml: "ansible: {}\n",
    spec: {},
    says: ["note cloud-config/no-meaning 2:1 ansible"],
  },
  {
    name: "a list is none",
    yaml: "ansible: [a]\n",
    spec: {},
    says: ["error user-data/wrong-type 2:10 ansible"],
  },
]);
