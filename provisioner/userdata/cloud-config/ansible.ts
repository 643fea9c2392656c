import { wordHint } from "#core/word-hint.ts";
import type { Input } from "../input.ts";
import { ansibleLines } from "./ansible-lines.ts";
import type { CloudConfigModule } from "./module.ts";
import { nameNeedless } from "./refused.ts";
import { addCommand, addPackages, shellLine } from "./spec-command.ts";

const packages: Readonly<Record<string, string>> = {
  ansible: "ansible",
  "ansible-core": "ansible",
  "ansible-base": "ansible",
};

/** `ansible`: playbooks that the machine runs on itself. */
export const ansible: CloudConfigModule = {
  name: "ansible",
  keys: ["ansible"],
  rule:
    "One script runs once per instance when the network is up, with `ansible` and `git` of nixpkgs: `galaxy`, then each of `pull`, " +
    "then `setup_controller`, as `run_user` where one is named. Its text is a secret. A flag of ansible is written as it is named here. " +
    "How ansible is installed has no meaning. A playbook that installs packages or writes under /etc works against NixOS: " +
    "say that with keys of cloud-config.",
  example: `ansible:
  install_method: distro
  package_name: ansible-core
  pull:
    - url: https://git.example.org/site.git
      playbook_names: [edge.yml]
      diff: true
`,
  translate({ config, draft }) {
    const input = config.get("ansible");
    if (input === undefined) return;
    if (!input.isMapping()) return input.expected("a mapping with `pull`");
    if (input.entries().length === 0) return nameNeedless(input, "it says nothing");
    readMethod(input.get("install_method"));
    const name = input.get("package_name");
    const attribute = readPackage(name);
    const user = input.get("run_user")?.text();
    const file = input.get("ansible_config")?.text();
    const work = ansibleLines(input);
    addPackages(draft, name ?? input, [attribute, "git"]);
    if (work.length === 0) return;
    const exported = file === undefined ? [] : [`export ANSIBLE_CONFIG=${shellLine([file])}`];
    const lines =
      user === undefined
        ? ["set -e", ...exported, ...work]
        : [
            "set -e",
            `su - ${shellLine([user, "-c", ["set -e", ...exported, ...work].join("\n")])}`,
          ];
    addCommand(draft, input, { name: "ansible", when: "late", lines });
  },
};

function readMethod(input: Input | undefined): void {
  const method = input?.text();
  if (input === undefined || method === undefined) return;
  if (method === "pip" || method === "distro") {
    return nameNeedless(input, "ansible comes from the pinned nixpkgs");
  }
  input.unsupported({
    code: "cloud-config/unknown-value",
    message: "unknown way to install",
    hint: wordHint(input.value, ["distro", "pip"]),
  });
}

function readPackage(input: Input | undefined): string {
  const name = input?.text() ?? "ansible";
  const attribute = packages[name];
  if (attribute !== undefined) return attribute;
  input?.unsupported({
    code: "cloud-config/package-name",
    message: "this is no name of ansible; `ansible` of nixpkgs is taken",
    hint: "write `ansible`",
  });
  return "ansible";
}
