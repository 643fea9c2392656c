import { attrs, bind, bool, list, type NixExpr, str } from "#provisioner/nix-language/tree.ts";
import { type Assignment, addFinding, assign, type Concern } from "./assignment.ts";
import { isSudoRule } from "./sudo-rule.ts";

/** The rule that nearly everybody writes has options of its own; any other goes to sudoers as it is. */
export function renderSudo(concern: Concern): readonly Assignment[] {
  const rules: NixExpr[] = [];
  const lines: string[] = [];
  for (const { user, rule, path } of rulesOf(concern, "sudo")) {
    const [, runAs, noPassword] =
      /^ALL ?= ?\((ALL|ALL ?: ?ALL)\) ?(NOPASSWD: ?)?ALL$/.exec(rule) ?? [];
    if (namesUser.test(rule)) refuseUser(concern, user, path);
    else if (!isSudoRule(rule)) refuseRule(concern, path);
    else if (runAs === undefined) lines.push(`${user} ${rule}`);
    else rules.push(everythingRule(user, runAs.replaceAll(" ", ""), noPassword !== undefined));
  }
  return [
    ...(rules.length === 0
      ? []
      : [assign(["security", "sudo", "extraRules"], list(rules), ["users"])]),
    ...(lines.length === 0
      ? []
      : [assign(["security", "sudo", "extraConfig"], str(`${lines.join("\n")}\n`), ["users"])]),
  ];
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

/** Rules of doas.conf, which name their user themselves. */
export function renderDoas(concern: Concern): readonly Assignment[] {
  const lines = rulesOf(concern, "doas").map(({ rule }) => rule);
  if (lines.length === 0) return [];
  return [
    assign(["security", "doas", "enable"], bool(true), ["users"]),
    assign(["security", "doas", "extraConfig"], str(`${lines.join("\n")}\n`), ["users"]),
  ];
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
