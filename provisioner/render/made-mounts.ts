import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { attrs, bind, bool, list, ref, str } from "#provisioner/nix-language/tree.ts";
import { type Assignment, assign, type Concern, firstSaid, shellWord } from "./assignment.ts";
import { commandRecords, earlyUnits } from "./commands.ts";
import { type MountUnit, mountUnits } from "./mount-order.ts";

/** Mounts of disks that early commands may make, and what comes when they are made. */
interface MadeMounts {
  readonly mounts: readonly MountUnit[];
  /** Units after which each mount is there, or has one more try before it: who is after that as well has it. */
  readonly after: readonly string[];
}

const unit = "firstlight-mounts";

/**
 * An early command may make a partition, a file system or a whole device that the spec mounts: what it makes
 * is not told, so that each local mount counts. What lies on one comes after the commands, and not before.
 */
export function madeMounts(spec: Spec): MadeMounts {
  const last = earlyUnits(spec).at(-1);
  const mounts = last === undefined ? [] : mountUnits(spec).filter(({ isLate }) => !isLate);
  if (last === undefined || mounts.length === 0) return { mounts: [], after: [] };
  return { mounts, after: [last, ...(tried(mounts).length === 0 ? [] : [`${unit}.service`])] };
}

/** Those that are mounted by themselves; what is mounted when it is used is tried then. */
function tried(mounts: readonly MountUnit[]): readonly MountUnit[] {
  return mounts.filter((mount) => mount.isWanted && mount.unit.endsWith(".mount"));
}

/**
 * Tries mounts again after the early commands, as cloud-init mounts after `bootcmd`: systemd begins when the
 * disk is there, and that may be before there is a file system on it. Ordering the mounts after the commands
 * would make circles: a command comes after all sockets and paths, which may lie on a mount.
 */
export function renderMadeMounts(concern: Concern): readonly Assignment[] {
  const { mounts, after } = madeMounts(concern.spec);
  const again = tried(mounts);
  if (again.length === 0) return [];
  const early = new Set(earlyUnits(concern.spec));
  const stamps = commandRecords(concern).filter((each) => early.has(each.unit));
  const value = attrs([
    bind("description", str("Mount what early commands have made")),
    bind("wantedBy", list(["multi-user.target", "sysinit-reactivation.target"].map(str))),
    bind("before", list([str("sysinit-reactivation.target")])),
    bind("after", list(after.filter((name) => early.has(name)).map(str))),
    // Another text makes other disks.
    bind("restartTriggers", list(stamps.map(({ stamp }) => str(stamp)))),
    bind("path", list([ref("pkgs", "util-linux")])),
    bind("script", str(script(again))),
    bind(
      "serviceConfig",
      attrs([
        bind("Type", str("oneshot")),
        bind("RemainAfterExit", bool(true)),
        // It waits for no mount, but looks at places that may hang.
        bind("TimeoutStartSec", str("1min")),
      ]),
    ),
  ]);
  const from = (concern.spec.mounts ?? []).map((_, index) => ["mounts", String(index)]);
  return [assign(["systemd", "services", unit], value, firstSaid(concern, from))];
}

/** Waits for none: each has its time to come, and who needs it waits for it alone. */
function script(mounts: readonly MountUnit[]): string {
  const looks = mounts.map((each) => `look ${shellWord(each.path)} ${shellWord(each.unit)}\n`);
  return `again=()
look() { # place, unit
  if ! mountpoint -q "$1"; then again+=("$2"); fi
}
${looks.join("")}if [ "\${#again[@]}" -gt 0 ]; then systemctl start --no-block "\${again[@]}"; fi
`;
}
