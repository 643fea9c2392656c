import { attrs, bind, bool, list, type NixExpr, str } from "#provisioner/nix-language/tree.ts";
import { type Assignment, addFinding, assign, type Concern } from "./assignment.ts";

/** The rule that nearly everybody writes has options of its own; any other goes to sudoers as it is. */
export function renderSudo(concern: Concern): readonly Assignment[] {
  const rules: NixExpr[] = [];
  const lines: string[] = [];
  for (const { user, rule } of rulesOf(concern, "sudo")) {
    const [, runAs, noPassword] =
      /^ALL ?= ?\((ALL|ALL ?: ?ALL)\) ?(NOPASSWD: ?)?ALL$/.exec(rule) ?? [];
    if (namesUser.test(rule)) refuseUser(concern, user);
    else if (!isRule.test(rule)) refuseRule(concern, user);
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

/** Hosts, `=`, whose rights in parentheses that close, something to run: sudo refuses the whole file else. */
const isRule = /^[^\s=,(]+(?:[ \t]*,[ \t]*[^\s=,(]+)*[ \t]*=[ \t]*(?:\([^()]*\)[ \t]*)?[^\s()=]/;

function refuseUser(concern: Concern, user: string): void {
  addFinding(
    concern,
    ["users", user, "sudo"],
    "error",
    "render/rule",
    `expected a rule without its user: \`${user}\` is put before it`,
    "begin it with the hosts: `ALL=(root) /run/current-system/sw/bin/ls`",
  );
}

function refuseRule(concern: Concern, user: string): void {
  addFinding(
    concern,
    ["users", user, "sudo"],
    "error",
    "render/rule",
    "expected a rule of sudo: `HOSTS = (WHO) COMMANDS`",
    "write `ALL=(ALL) NOPASSWD: ALL`; a line of `Defaults` goes to the option `security.sudo.extraConfig`",
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

/** Every rule that is one line, with its user; the others have a finding. */
function rulesOf(
  concern: Concern,
  key: "sudo" | "doas",
): readonly { readonly user: string; readonly rule: string }[] {
  return Object.entries(concern.spec.users ?? {}).flatMap(([user, { [key]: rules = [] }]) =>
    rules.flatMap((text, index) => {
      const rule = text.trim();
      if (isOneLine(rule)) return [{ user, rule }];
      addFinding(
        concern,
        ["users", user, key, String(index)],
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
