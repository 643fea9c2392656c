import { shellWord } from "./assignment.ts";
import { instanceScope } from "./instance-scope.ts";

/**
 * Bash: `stampsFor PATH INSTANCE` says where it stands what was done to a file. What it lies on tells, links
 * followed: what is in memory is gone with the boot, and so is the stamp.
 */
export const stampsFunction = `# Where it stands what was done to a path for an instance: in memory where that is.
stampsFor() {
  local at=$1
  until [ -e "\${at:-/}" ]; do at=\${at%/*}; done
  case $(stat -L -f -c %T "\${at:-/}") in
    tmpfs | ramfs) echo "/run/firstlight/stamps/$2" ;;
    *) echo "/var/lib/firstlight/stamps/$2" ;;
  esac
}
`;

/** A word of shell: a file that says what was done to a path for this instance. */
export function stampWord(instanceId: string, path: string, name: string): string {
  return `"$(stampsFor ${shellWord(path)} ${instanceScope(instanceId)})"/${shellWord(name)}`;
}

/**
 * Bash: `once STAMP WHAT COMMAND…` does something, unless it was the last that was done under this stamp.
 * What changes is done again, also where it changes back: a generation that is gone back to has its own.
 */
export const onceFunction = `# Does something unless it was the last that was done: stamp, a name for it, what to do.
once() (
  set -e
  if [ -e "$1" ] && [ "$(cat "$1")" = "$2" ]; then exit 0; fi
  "\${@:3}"
  mkdir -p "\${1%/*}"
  printf '%s\\n' "$2" > "$1.new"
  mv -T "$1.new" "$1"
  sync "$1" "\${1%/*}"
)
`;
