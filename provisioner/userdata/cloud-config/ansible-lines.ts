import type { Input } from "../input.ts";
import { shellLine } from "./spec-command.ts";

/** What cloud-init takes for an `ansible-pull`, beside its playbooks; other keys are left for the translation to name. */
const pullFlags: ReadonlySet<string> = new Set([
  ...["accept_host_key", "checkout", "clean", "connection", "diff", "full", "inventory"],
  ...["module_name", "module_path", "private_key", "scp_extra_args", "sftp_extra_args"],
  ...["skip_tags", "sleep", "ssh_common_args", "tags", "timeout", "url", "vault_id"],
  ...["vault_password_file", "verify_commit"],
]);

/** The commands that an `ansible` section asks for, in cloud-init's order. */
export function ansibleLines(section: Input): readonly string[] {
  return [
    ...galaxyLines(section.get("galaxy")),
    ...pullLines(section.get("pull")),
    ...controllerLines(section.get("setup_controller")),
  ];
}

/** Each action is a command; one that is written as a single list of words counts as one. */
function galaxyLines(input: Input | undefined): readonly string[] {
  if (input === undefined) return [];
  if (!input.isMapping()) return expectedNothing(input, "a mapping with `actions`");
  const actions = input.get("actions");
  if (actions === undefined)
    return expectedNothing(input, "a mapping with `actions`", "one without");
  const items = actions.items();
  const isOne = items.length > 0 && items.every(({ value }) => typeof value === "string");
  const commands = isOne ? [actions] : items;
  return commands
    .map((each) => each.texts())
    .filter((words) => words.length > 0)
    .map(shellLine);
}

function pullLines(input: Input | undefined): readonly string[] {
  if (input === undefined) return [];
  const entries = input.isMapping() ? [input] : input.items();
  return entries.flatMap((entry) => {
    if (!entry.isMapping()) return expectedNothing(entry, "a mapping with `url`");
    const playbooks = [
      ...(entry.get("playbook_names")?.texts() ?? []),
      ...[entry.get("playbook_name")?.text()].filter((name) => name !== undefined),
    ];
    const flags = readFlags(entry, ["playbook_names", "playbook_name"], pullFlags);
    if (entry.get("url") === undefined || playbooks.length === 0) {
      return expectedNothing(entry, "a mapping with `url` and `playbook_names`", "one without");
    }
    return [shellLine(["ansible-pull", ...flags, ...playbooks])];
  });
}

function controllerLines(input: Input | undefined): readonly string[] {
  if (input === undefined) return [];
  if (!input.isMapping()) return expectedNothing(input, "a mapping with `run_ansible`");
  const clones = (input.get("repositories")?.items() ?? []).flatMap((each) => {
    const source = each.get("source")?.text();
    const path = each.get("path")?.text();
    if (source === undefined || path === undefined) {
      return expectedNothing(each, "a mapping with `source` and `path`", "something else");
    }
    return [shellLine(["git", "clone", source, path])];
  });
  const runs = (input.get("run_ansible")?.items() ?? []).flatMap((each) => {
    const folder = each.get("playbook_dir")?.text();
    const playbook = each.get("playbook_name")?.text();
    const flags = each.isMapping() ? readFlags(each, ["playbook_dir", "playbook_name"]) : [];
    if (playbook === undefined) {
      return expectedNothing(each, "a mapping with `playbook_name`", "something else");
    }
    const run = shellLine(["ansible-playbook", playbook, ...flags]);
    return [folder === undefined ? run : `(cd ${shellLine([folder])} && ${run})`];
  });
  return [...clones, ...runs];
}

/** Each key as a flag of the same name: alone where it is true, not at all where it is false. */
function readFlags(
  input: Input,
  others: readonly string[],
  known?: ReadonlySet<string>,
): readonly string[] {
  return input.entries().flatMap(([key, part]) => {
    if (others.includes(key) || known?.has(key) === false) return [];
    const name = key.replaceAll("_", "-");
    if (!/^[a-z][a-z0-9-]*$/.test(name)) return []; // left for the translation to name
    if (typeof part.value === "boolean") {
      part.mark("translated");
      return part.value ? [`--${name}`] : [];
    }
    if (typeof part.value === "number") {
      part.mark("translated");
      return [`--${name}=${part.value}`];
    }
    const text = part.text();
    return text === undefined ? [] : [`--${name}=${text}`];
  });
}

function expectedNothing(
  input: Input,
  what: `a mapping${string}`,
  got?: string,
): readonly string[] {
  input.expected(what, undefined, got);
  return [];
}
