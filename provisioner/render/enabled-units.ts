import { readUnitInstall, type UnitInstall } from "#core/unit-install.ts";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import {
  call,
  interpolated,
  join,
  type NixExpr,
  ref,
  str,
} from "#provisioner/nix-language/tree.ts";
import { type Assignment, addFinding, assign, type Concern, firstSaid } from "./assignment.ts";
import { instanceScope } from "./instance-scope.ts";
import { unitNameOf } from "./unit-name.ts";

/** A unit that a script turns on by `systemctl enable`. */
interface EnabledUnit {
  readonly name: string;
  readonly wantedBy: readonly string[];
  /** File that says that the script has come to it. */
  readonly mark: string;
  /** Place in the spec. */
  readonly from: readonly string[];
}

/**
 * What `systemctl enable` does elsewhere, for units that are files of the spec: NixOS has no place for the
 * link that it makes. The command leaves a mark, and a generator (systemd.generator(7)) makes the link
 * of what has one, at each boot. So the unit's own text stays as it is, it starts by hand whether
 * it is enabled or not, and a system without the unit knows nothing of the mark.
 */
export function renderEnabledUnits(concern: Concern): readonly Assignment[] {
  const units = (concern.spec.commands ?? []).flatMap((_, index) => {
    warnOfRest(concern, index);
    return enabledUnits(concern, index);
  });
  if (units.length === 0) return [];
  const from = firstSaid(
    concern,
    units.map((unit) => unit.from),
  );
  const program = call(ref("pkgs", "writeShellScript"), str("enabled-units"), generator(units));
  return [assign(["systemd", "generators", "firstlight-enabled-units"], program, from)];
}

/** Whether a script turns on a unit of the spec. */
export function isEnabled(spec: Spec, name: string): boolean {
  const isNamed = (spec.commands ?? []).some(({ enables = [] }) => enables.includes(name));
  return isNamed && installOf(spec, name) !== undefined;
}

/** A `systemctl` for a script that leaves the marks; `undefined` for one that enables nothing. */
export function enablingSystemctl(concern: Concern, index: number): NixExpr | undefined {
  const units = enabledUnits(concern, index);
  if (units.length === 0) return undefined;
  const names = units.map(({ name }) => name).join(" ");
  const begin = interpolated(
    ...["systemctl=", ref("pkgs", "systemd"), "/bin/systemctl\n"],
    ...["tools=", ref("pkgs", "coreutils"), "/bin\n"],
  );
  const rest = str(`marks=${marksOf(concern, index)} units=" ${names} "\n${shim}`);
  return call(ref("pkgs", "writeShellScriptBin"), str("systemctl"), join("+", [begin, rest]));
}

function enabledUnits(
  concern: Pick<Concern, "spec" | "instanceId">,
  index: number,
): readonly EnabledUnit[] {
  const enables = concern.spec.commands?.[index]?.enables ?? [];
  const marks = marksOf(concern, index);
  return enables.flatMap((name, at) => {
    const install = installOf(concern.spec, name);
    if (install === undefined || enables.indexOf(name) !== at) return [];
    const from = ["commands", String(index), "enables", String(at)];
    return [{ name, wantedBy: install.wantedBy, mark: `${marks}/enabled-${name}`, from }];
  });
}

/** Beside the stamps, so that they stay as long as those do, after which the script would run again. */
function marksOf({ spec, instanceId }: Pick<Concern, "spec" | "instanceId">, index: number) {
  const isOfMachine = spec.commands?.[index]?.frequency === "once";
  return `/var/lib/firstlight/stamps/${isOfMachine ? "once" : instanceScope(instanceId)}`;
}

/** What starts a unit that is one whole file of the spec, for everybody to read, and nothing else of it. */
function installOf(spec: Spec, name: string): UnitInstall | undefined {
  const files = (spec.files ?? []).filter(
    ({ path }) => path.replace(/\/+/g, "/") === `/etc/systemd/system/${name}`,
  );
  const [file] = files;
  const isAlone = files.length === 1 && !Object.hasOwn(spec.units ?? {}, name);
  if (file === undefined || !isAlone || unitNameOf(file) === undefined) return undefined;
  const install = readUnitInstall(file.content ?? "");
  return install?.wantedBy.length === 0 ? undefined : install;
}

/** Says what of `enables` does not come true. */
function warnOfRest(concern: Concern, index: number): void {
  const { spec } = concern;
  for (const [at, name] of (spec.commands?.[index]?.enables ?? []).entries()) {
    const from = ["commands", String(index), "enables", String(at)];
    const install = installOf(spec, name);
    if (install === undefined) {
      const message = `\`systemctl enable\` does nothing for ${name}, which is not one whole file of text with \`WantedBy\``;
      const hint = `say its text and \`wantedBy\` once, under \`units: ${name}:\``;
      addFinding(concern, from, "warning", "render/not-enabled", message, hint);
    } else if (install.others.length > 0) {
      const keys = install.others.map((key) => `\`${key}\``).join(", ");
      const message = `${name} is enabled by its \`WantedBy\` alone: ${keys} in its [Install] does nothing`;
      const hint =
        "enable what it names by a command of its own, or set systemd.units under `options`";
      addFinding(concern, from, "warning", "render/not-enabled", message, hint);
    }
  }
}

/** Runs before any unit does: what it needs is on the root, or mounted by the initrd. */
function generator(units: readonly EnabledUnit[]): NixExpr {
  const calls = units.flatMap(({ name, wantedBy, mark }) =>
    wantedBy.map((target) => `enabled ${mark} ${name} ${target}\n`),
  );
  const begin = interpolated("tools=", ref("pkgs", "coreutils"), "/bin out=$1\n");
  return join("+", [begin, str(`${linkFunction}${calls.join("")}`)]);
}

const linkFunction = `enabled() { # mark, unit, what wants it
  [ -e "$1" ] || return 0
  "$tools/mkdir" -p "$out/$3.wants"
  "$tools/ln" -sfn "/etc/systemd/system/$2" "$out/$3.wants/$2"
}
`;

/** A command with another unit, or with a word that is not known here, is the real program's as a whole. */
const shim = `verb= now= own=1 options=() names=()
for word; do
  case $word in
    --now) now=1 ;;
    -q | --quiet | --no-block) options+=("$word") ;;
    -*) own= ;;
    *)
      if [ -z "$verb" ]; then verb=$word; continue; fi
      name=\${word#/etc/systemd/system/}
      case $name in *.service | *.socket | *.timer | *.path) ;; *) name=$name.service ;; esac
      case $units in *" $name "*) names+=("$name") ;; *) own= ;; esac
      ;;
  esac
done
if [ "$verb" != enable ] || [ -z "$own" ] || [ "\${#names[@]}" = 0 ]; then exec "$systemctl" "$@"; fi
set -e
"$tools/mkdir" -p "$marks"
for name in "\${names[@]}"; do
  : > "$marks/enabled-$name"
  "$tools/sync" "$marks/enabled-$name"
done
"$tools/sync" "$marks"
[ -n "$now" ] || exit 0
exec "$systemctl" "\${options[@]}" start "\${names[@]}"
`;
