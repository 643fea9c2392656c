import { escapedPath } from "#core/unit-of-path.ts";
import type { User } from "#generated/provisioner/spec/v1.ts";
import { attrs, bind, bool, list, ref, select, str } from "#provisioner/nix-language/tree.ts";
import { type Assignment, assign, type Concern, firstSaid, shellWord } from "./assignment.ts";
import { eachEnd, eachStart, enterFunction } from "./file-shell.ts";
import { madeMounts } from "./made-mounts.ts";
import { type MountUnit, mountsAt, mountUnits } from "./mount-order.ts";
import { isNixosUser } from "./nixos-accounts.ts";

/** A home that lies on a mount of the spec. */
interface MountedHome {
  readonly user: string;
  readonly path: string;
  readonly mounts: readonly MountUnit[];
}

const early = "firstlight-homes";
const late = "firstlight-homes-deferred";

/**
 * Homes on mounts. NixOS makes homes as it is activated, which is before anything of the spec is mounted
 * over them: on a new file system there is none. So units make what is missing when it is mounted: one
 * before files are put in place there, and one for what comes by the network.
 */
export function renderHomes(concern: Concern): readonly Assignment[] {
  const homes = mountedHomes(concern);
  const isLate = ({ mounts }: MountedHome) => mounts.some((mount) => mount.isLate);
  return [
    ...homeUnit(
      concern,
      early,
      homes.filter((home) => !isLate(home)),
    ),
    ...homeUnit(concern, late, homes.filter(isLate)),
  ];
}

function mountedHomes({ spec }: Concern): readonly MountedHome[] {
  const all = mountUnits(spec);
  return Object.entries(spec.users ?? {}).flatMap(([user, said]) => {
    const path = homeOf(user, said);
    const mounts = path === undefined ? [] : mountsAt(all, path);
    return path === undefined || mounts.length === 0 ? [] : [{ user, path, mounts }];
  });
}

/** Where NixOS makes a home, by what the spec says. */
function homeOf(name: string, { home, createHome, system = false }: User): string | undefined {
  if (name === "root" || isNixosUser(name) || !(createHome ?? !system)) return undefined;
  const path = home ?? (system ? undefined : `/home/${name}`);
  return path?.replace(/\/+/g, "/").replace(/(?<=.)\/$/, "");
}

function homeUnit(
  concern: Concern,
  name: string,
  homes: readonly MountedHome[],
): readonly Assignment[] {
  if (homes.length === 0) return [];
  const mounts = [...new Set(homes.flatMap((home) => home.mounts))];
  const wanted = mounts.filter(({ isWanted }) => isWanted).map(({ unit }) => unit);
  // Before who writes into them, and before anybody logs in.
  const made = name === early ? madeMounts(concern.spec).after : [];
  const files = made.length === 0 ? "firstlight-files" : "firstlight-files-mounted";
  const before = [
    ...(name === early
      ? [`${files}.service`, "sysinit-reactivation.target"]
      : ["firstlight-files-deferred.service"]),
    "systemd-user-sessions.service",
    ...homes
      .filter(({ user }) => concern.spec.home?.[user] !== undefined)
      .map(({ user }) => `home-manager-${escapedPath(user)}.service`),
  ];
  const wantedBy = [
    "multi-user.target",
    ...(name === early ? ["sysinit-reactivation.target"] : []),
  ];
  const modes = homes.map(({ user }, at) => {
    return bind(`MODE_${at}`, select(ref("config"), ["users", "users", user, "homeMode"]));
  });
  const value = attrs([
    bind("description", str("Make homes that are missing on mounts of the spec")),
    bind("wantedBy", list(wantedBy.map(str))),
    ...(wanted.length === 0 ? [] : [bind("wants", list(wanted.map(str)))]),
    bind("before", list(before.map(str))),
    bind("after", list([...made, ...mounts.map(({ unit }) => unit)].map(str))),
    bind("environment", attrs(modes)),
    bind("script", str(script(homes))),
    bind(
      "serviceConfig",
      attrs([
        bind("Type", str("oneshot")),
        bind("RemainAfterExit", bool(true)),
        bind("TimeoutStartSec", str("5min")),
      ]),
    ),
  ]);
  const from = homes.map(({ user }) => ["users", user]);
  return [assign(["systemd", "services", name], value, firstSaid(concern, from))];
}

/** As NixOS makes a home: with owner and mode, and with nothing in it. */
const homeFunction = `# Makes the home of a user: user, mode, path. What is root's there is as good as missing: the top of a
# new file system. Whose it is otherwise, it stays.
home() (
  set -e
  enter "\${3%/*}"
  name=\${3##*/}
  if [ -e "./$name" ] && [ ! -O "./$name" ]; then exit 0; fi
  if ! ours; then
    echo "firstlight: the home of $1 is to be in a directory of others; it is not made" >&2
    exit 1
  fi
  if [ ! -e "./$name" ]; then mkdir -m 0700 -- "./$name"; fi
  cd -P "./$name"
  chmod "$2" .
  chown "$1:" .
)
`;

function script(homes: readonly MountedHome[]): string {
  const calls = homes.map(({ user, path }, at) => {
    return `home ${shellWord(user)} "$MODE_${at}" ${shellWord(path)}\n`;
  });
  return [enterFunction, homeFunction, `${eachStart}${calls.join("")}${eachEnd}`].join("\n");
}
