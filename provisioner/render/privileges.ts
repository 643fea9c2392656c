import { attrs, bind, bool, list, type NixExpr, str } from "#provisioner/nix-language/tree.ts";
import { type Assignment, addFinding, assign, type Concern, firstSaid } from "./assignment.ts";
import { isDoasRule } from "./doas-rule.ts";
import { isSudoRule } from "./sudo-rule.ts";

/** The rule that nearly everybody writes has options of its own; any other goes to sudoers as it is. */
export function renderSudo(concern: Concern): readonly Assignment[] {
  const rules: Said<NixExpr>[] = [];
  const lines: Said<string>[] = [];
  for (const each of rulesOf(concern, "sudo")) {
    const { user, rule, path } = each;
    const [, runAs, noPassword] =
      /^ALL ?= ?\((ALL|ALL ?: ?ALL)\) ?(NOPASSWD: ?)?ALL$/.exec(rule) ?? [];
    if (namesUser.test(rule)) refuseUser(concern, user, path);
    else if (!isSudoRule(rule)) refuseRule(concern, path);
    else if (runAs === undefined) {
      warnOfPaths(concern, each);
      lines.push({ value: `${user} ${rule}`, path });
    } else {
      const value = everythingRule(user, runAs.replaceAll(" ", ""), noPassword !== undefined);
      rules.push({ value, path });
    }
  }
  const option = (name: string, value: NixExpr, said: readonly Said<unknown>[]) =>
    said.length === 0 ? [] : [assign(["security", "sudo", name], value, fromOf(concern, said))];
  return [
    ...option("extraRules", list(rules.map(({ value }) => value)), rules),
    ...option("extraConfig", linesOf(lines.map(({ value }) => value)), lines),
  ];
}

/** A part of an option, and the place of the spec that it comes from. */
interface Said<T> {
  readonly value: T;
  readonly path: readonly string[];
}

function fromOf(concern: Concern, said: readonly Pick<Rule, "path">[]) {
  return firstSaid(
    concern,
    said.map(({ path }) => path),
  );
}

function linesOf(lines: readonly string[]): NixExpr {
  return str(`${lines.join("\n")}\n`);
}

/** Two words before the `=`: the hosts of a rule are one word, or have commas between them. */
const namesUser = /^(?!Defaults\b)[^\s=,]+[ \t]+[^\s=,(]+[ \t]*=/;

function refuseUser(concern: Concern, user: string, path: readonly string[]): void {
  addFinding(
    concern,
    path,
    "error",
    "render/rule",
    `expected a rule without its user: \`${user}\` is put before it`,
    "begin it with the hosts: `ALL=(root) /run/current-system/sw/bin/ls`",
  );
}

function refuseRule(concern: Concern, path: readonly string[]): void {
  addFinding(
    concern,
    path,
    "error",
    "render/rule",
    "expected a rule of sudo: `HOSTS = (WHO) TAG: COMMANDS`",
    "write `ALL=(ALL) NOPASSWD: ALL`, or the whole path of each command; a line of `Defaults` goes to the option `security.sudo.extraConfig`",
  );
}

function everythingRule(user: string, runAs: string, noPassword: boolean): NixExpr {
  const options = noPassword ? [bind("options", list([str("NOPASSWD")]))] : [];
  return attrs([
    bind("users", list([str(user)])),
    bind("runAs", str(runAs)),
    bind("commands", list([attrs([bind("command", str("ALL")), ...options])])),
  ]);
}

/** Programs by paths that NixOS does not have, but for `/bin/sh` and `/usr/bin/env`. */
const programPath = /(?<![^\s,!:])\/(?:usr\/(?:local\/)?)?s?bin\/(?!(?:sh|env)(?![\w.-]))[^\s,]*/g;

/** Paths are held against the program that is started, so that a rule of another path allows nothing. */
function warnOfPaths(concern: Concern, { rule, path }: Rule): void {
  const files = new Set((concern.spec.files ?? []).map((file) => file.path));
  const paths = [...rule.matchAll(programPath)].map(([found]) => found);
  if (paths.every((found) => files.has(found))) return;
  const message = "the rule names a program by a path that NixOS does not have, and never matches";
  const hint = "name it as `/run/current-system/sw/bin/NAME`, and have its package on the machine";
  addFinding(concern, path, "warning", "render/rule-path", message, hint);
}

/** Rules of doas.conf, which name their user themselves. */
export function renderDoas(concern: Concern): readonly Assignment[] {
  const rules = rulesOf(concern, "doas").filter((each) => {
    const isRule = isDoasRule(each.rule);
    if (isRule) warnOfPaths(concern, each);
    else refuseDoas(concern, each.path);
    return isRule;
  });
  if (rules.length === 0) return [];
  const from = fromOf(concern, rules);
  const text = linesOf(rules.map(({ rule }) => rule));
  return [
    assign(["security", "doas", "enable"], bool(true), from),
    assign(["security", "doas", "extraConfig"], text, from),
  ];
}

function refuseDoas(concern: Concern, path: readonly string[]): void {
  addFinding(
    concern,
    path,
    "error",
    "render/rule",
    "expected a rule of doas, with its user: `permit OPTIONS USER as TARGET cmd COMMAND`",
    "write `permit nopass alice`, or `permit persist :wheel` for a group; doas takes no rule at all where one is wrong",
  );
}

/** A rule of one line, whose it is, and where it stands. */
interface Rule {
  readonly user: string;
  readonly rule: string;
  readonly path: readonly string[];
}

/** Every rule that is one line; the others have a finding. */
function rulesOf(concern: Concern, key: "sudo" | "doas"): readonly Rule[] {
  return Object.entries(concern.spec.users ?? {}).flatMap(([user, { [key]: rules = [] }]) =>
    rules.flatMap((text, index) => {
      const rule = text.trim();
      const path = ["users", user, key, String(index)];
      if (isOneLine(rule)) return [{ user, rule, path }];
      addFinding(
        concern,
        path,
        "error",
        "render/rule",
        "expected a rule of one line",
        "write each rule as an item of its own",
      );
      return [];
    }),
  );
}

/** A backslash at the end would take the next line in. */
function isOneLine(rule: string): boolean {
  return rule !== "" && !/[\n\r\0]/.test(rule) && !rule.endsWith("\\");
}
