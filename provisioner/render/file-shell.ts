// The shell that puts files in place as root, at any path of the machine: also in directories of
// users, who may exchange what is there at any moment. Nobody but root decides where root writes.
// Each function is a subshell of its own, standing in the directory that it works in, because that
// stays the same one when names change; files are reached by what was opened, not by name.

/**
 * Bash: `enter DIRECTORY [OWNER:GROUP]`, the absolute path of one, makes what is missing and goes there. As
 * with cloud-init (`util.ensure_dir`) each directory that is made belongs to who the file in it is for; what
 * is the system's is entered for root before that.
 */
export const enterFunction = `# Whether only root can change what is in this directory.
ours() { [ -O . ] && [ $((0$(stat -c %a .) & 022)) -eq 0 ]; }

inode() { stat -c %d:%i "$1"; }

# Goes to a directory and makes what is missing. In one that others can change, no link is followed:
# what was entered lies there, and has that name. What is made is given away from within, while it is
# empty and nobody else has written to it: nothing that was there before changes hands.
enter() {
  local rest=\${1#/} owner=\${2:-root:root} part above made
  cd /
  while [ -n "$rest" ]; do
    part=\${rest%%/*}
    rest=\${rest#"$part"}
    rest=\${rest#/}
    above=
    if ! ours; then above=$(inode .); fi
    made=
    if [ ! -e "./$part" ]; then
      mkdir -- "./$part"
      made=1
    fi
    cd -P "./$part"
    if [ -n "$above" ] && [ "$(inode ..) $(inode "../$part")" != "$above $(inode .)" ]; then
      echo "firstlight: $part, on the way to $1, is a link that root did not make; not followed" >&2
      return 1
    fi
    # An owner that is not there is told of where the file is given to it.
    if [ -n "$made" ] && [ "$owner" != root:root ] && ours && [ -z "$(ls -A)" ]; then
      chown "$owner" . 2> /dev/null || true
    fi
  done
}
`;

/**
 * Bash, before the files: what becomes of one does not keep the others back. A function that is asked
 * for its end would go on after each of its errors, so a trap takes note.
 */
export const eachStart = `failed=
set +e
trap 'failed+="; $BASH_COMMAND"' ERR
`;

/** Bash, after the files: fails where one of them is not as asked. */
export const eachEnd = `if [ -n "$failed" ]; then
  echo "firstlight: not as asked: \${failed#; }" >&2
  exit 1
fi
`;

/**
 * Bash: `put MODE OWNER GROUP SYSTEM PATH CONTENTS…`, and `replace`, which works in a directory. SYSTEM is the
 * directory on the way that is root's, with all above it, also where it is missing.
 */
export const putFunction = `# Takes the place of a file of this directory at once: mode, owner, group, name, contents. The new
# one is made under a name that nobody knows, and never through a link. Where there is no such owner or
# group it is root's, without setuid and setgid, and that has failed.
replace() {
  local mode=$1 owner=$2 group=$3 name=$4
  shift 4
  rm -f ./.firstlight-??????????
  new=./$(mktemp -u .firstlight-XXXXXXXXXX)
  trap 'rm -f "$new"' EXIT
  umask 077
  set -C
  exec 9> "$new"
  cat -- "$@" >&9
  local given=1
  if ! chown "$owner:$group" /proc/self/fd/9; then
    given=
    mode=$(printf %o $((0$mode & 0777)))
  fi
  chmod "$mode" /proc/self/fd/9
  sync /proc/self/fd/9
  mv -T "$new" "./$name"
  if [ -z "$given" ]; then
    echo "firstlight: $name cannot be given to $owner:$group, it is root's" >&2
    return 1
  fi
}

# Takes the place of a file: mode, owner, group, directory that is the system's, path, contents.
put() (
  set -e
  enter "$4"
  enter "\${5%/*}" "$2:$3"
  replace "$1" "$2" "$3" "\${5##*/}" "\${@:6}"
)
`;

/** Bash: `add STAMP MODE OWNER GROUP SYSTEM PATH CONTENTS`, once. */
export const addFunction = `# Adds to the end of a file, once: stamp, mode, owner, group, directory that is the system's, path,
# contents. The file is replaced by a longer one. After a crash in between, its end tells whether that
# was done.
add() (
  set -e
  stamp=$1 mode=$2 owner=$3 group=$4 path=$6 contents=$7
  if [ -e "$stamp" ]; then exit 0; fi
  enter "$5"
  enter "\${path%/*}" "$owner:$group"
  if [ -L "./\${path##*/}" ] && ours; then
    path=$(readlink -f "./\${path##*/}")
    enter "\${path%/*}"
  fi
  case $PWD/ in
    /nix/store/*)
      echo "firstlight: $path is part of the system, nothing can be added to it" >&2
      exit 1
      ;;
  esac
  name=\${path##*/}
  old=/dev/null
  if [ -e "./$name" ] || [ -L "./$name" ]; then
    read_old
    old=/proc/self/fd/8
    mode=$(stat -L -c %a $old) owner=$(stat -L -c %u $old) group=$(stat -L -c %g $old)
  fi
  size=$(stat -L -c %s "$contents")
  if [ ! -e "$stamp.begun" ] || [ "$(tail -c "$size" $old | sha256sum)" != "$(sha256sum < "$contents")" ]; then
    install -D -m 0600 /dev/null "$stamp.begun"
    replace "$mode" "$owner" "$group" "$name" $old "$contents"
    sync .
  fi
  mv "$stamp.begun" "$stamp"
)

# Opens the file of this name as 8: a file that lies here and nowhere else, or nothing.
read_old() {
  if [ -f "./$name" ] && [ ! -L "./$name" ]; then
    exec 8< "./$name"
    if ours || [ "$(stat -c '%d:%i %h' "./$name")" = "$(stat -L -c '%d:%i' /proc/self/fd/8) 1" ]; then
      return 0
    fi
  fi
  echo "firstlight: $path is no file of its own, nothing is added to it" >&2
  return 1
}
`;
