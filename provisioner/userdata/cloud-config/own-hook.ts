import { sha256 } from "#core/canonical-json.ts";
import type { Input } from "../input.ts";
import type { ModuleInput } from "./module.ts";

/** A script that a module has run when the system has been judged healthy and is the boot default. */
export interface OwnHook {
  readonly name: string;
  readonly lines: readonly string[];
  /** What asks for it. */
  readonly at: Input;
}

const directory = "/var/lib/firstlight/stamps/hooks";

/**
 * Adds a script that runs after the first commit of an instance that has it. Its stamp is of the
 * instance and the name alone, and on disk before it begins: it never runs twice, whatever happens
 * meanwhile, and whatever a later firstlight or a later document makes of its text.
 */
export function addHook({ draft, context }: ModuleInput, { name, lines, at }: OwnHook): void {
  draft.spec.hooks ??= [];
  draft.origin(["hooks", draft.spec.hooks.length], at);
  const digest = sha256(context.instanceId ?? "").slice(0, 16);
  const text = [
    "#!/bin/sh",
    '[ -d /run/systemd/system ] || { echo "this machine has no systemd" >&2; exit 1; }',
    `stamp=${directory}/${name}-${digest}`,
    '[ -e "$stamp" ] && exit 0',
    `mkdir -p ${directory} && : > "$stamp" && sync "$stamp" ${directory} || exit 1`,
    ...lines,
  ].join("\n");
  const script = draft.secret(name, `${text}\n`);
  draft.spec.hooks.push({ name, when: "post-update", script, timeout: "1m" });
}

/**
 * Lines of a hook that have others run in a unit of their own, from a file that root alone reads: the
 * change that the hook belongs to does not wait for them.
 */
export function inBackground(name: string, lines: readonly string[]): readonly string[] {
  const file = `/run/firstlight/${name}`;
  const end = endOf(lines);
  return [
    `(umask 077 && cat > ${file}) << '${end}'`,
    `trap 'rm -f ${file}' EXIT`,
    ...lines,
    end,
    `systemd-run --quiet --collect --unit=firstlight-${name} --property=RuntimeMaxSec=1d --setenv=PATH="$PATH" \\`,
    `  /bin/sh ${file}`,
  ];
}

/** A line that none of these is, whatever a document has brought into them. */
function endOf(lines: readonly string[]): string {
  const taken = new Set(lines.flatMap((line) => line.split("\n")));
  let end = "END OF SCRIPT";
  while (taken.has(end)) end += ".";
  return end;
}
