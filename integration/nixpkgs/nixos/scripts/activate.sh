# Makes the machine what the system says: the steps in order, each failure told, none stops the rest.
# All in one namespace, so that what one step mounts below /run is there for the next.
if [ -z "${STAND_IN_INSIDE:-}" ]; then
  export STAND_IN_INSIDE=1
  inside "$0"
  exit $?
fi
status=0

own() {
  if [ "$dry" = true ]; then return; fi
  echo "$1" >> "$steps"
  "step_$1" || fail "$1" $?
}
fail() {
  status=1
  echo "Activation script snippet '$1' failed ($2)" >&2
}
snippet() { # name, file, whether it also runs in dry-activate
  if [ "$dry" = true ] && [ "$3" = false ]; then return; fi
  echo "$1" >> "$steps"
  [ -s "$2" ] || return 0
  NIXOS_ACTION=${NIXOS_ACTION:-switch} systemConfig=$system bash -c '
    _status=0
    trap "_status=1" ERR
    . "$1"
    exit $_status' activate "$2" || fail "$1" $?
}

step_specialfs() { mkdir -p "$ROOT/run/keys" "$ROOT/run/wrappers" "$ROOT/tmp"; }
step_var() { mkdir -p "$ROOT/var/empty" "$ROOT/var/lib/nixos" "$ROOT/var/tmp"; }
step_users() {
  mkdir -p "$ROOT/etc"
  : >> "$ROOT/etc/shadow"
  cp "$ROOT/etc/shadow" "$ROOT/etc/.shadow.old"
  : > "$ROOT/etc/.passwd.new"
  : > "$ROOT/etc/.shadow.new"
  chmod 600 "$ROOT/etc/.shadow.new" "$ROOT/etc/.shadow.old"
  . "$system/users.sh"
  if [ "$mutable" = true ] && [ -e "$ROOT/etc/passwd" ]; then
    # Users made by hand stay.
    while IFS= read -r line; do
      name=${line%%:*}
      grep -q "^$name:" "$ROOT/etc/.passwd.new" && continue
      echo "$line" >> "$ROOT/etc/.passwd.new"
      grep -m 1 "^$name:" "$ROOT/etc/.shadow.old" >> "$ROOT/etc/.shadow.new"
    done < "$ROOT/etc/passwd"
  fi
  mv "$ROOT/etc/.passwd.new" "$ROOT/etc/passwd"
  mv "$ROOT/etc/.shadow.new" "$ROOT/etc/shadow"
  rm "$ROOT/etc/.shadow.old"
}
step_groups() {
  cp -f "$system/groups" "$ROOT/etc/.group.new"
  chmod 644 "$ROOT/etc/.group.new"
  if [ "$mutable" = true ] && [ -e "$ROOT/etc/group" ]; then
    # So do groups made by hand.
    while IFS= read -r line; do
      grep -q "^${line%%:*}:" "$ROOT/etc/.group.new" || echo "$line" >> "$ROOT/etc/.group.new"
    done < "$ROOT/etc/group"
  fi
  mv "$ROOT/etc/.group.new" "$ROOT/etc/group"
}

# One user: its entry in passwd and shadow, and its home. The hash comes from its file when it has
# one. Where users are mutable a user that stands in shadow already keeps what stands there, whatever
# the configuration says of it; else it has what the configuration says, and is locked without that.
user() { # name, uid, gid, description, home, mode or "", shell, hash, file, initial hash
  hash=$8
  if [ -n "$9" ]; then
    case $9 in /etc/* | /run/* | /var/*) file=$9 ;; *) file=$ROOT$9 ;; esac
    if [ -r "$file" ]; then IFS= read -r hash < "$file" || true
    else echo "warning: password file ‘$9’ does not exist" >&2
    fi
  fi
  if old=$(grep -m 1 "^$1:" "$ROOT/etc/.shadow.old"); then
    if [ "$mutable" = true ]; then hash=$(echo "$old" | cut -d : -f 2); else hash=${hash:-!}; fi
  else
    hash=${hash:-${10}}
    hash=${hash:-!}
  fi
  printf '%s:x:%s:%s:%s:%s:%s\n' "$1" "$2" "$3" "$4" "$5" "$7" >> "$ROOT/etc/.passwd.new"
  printf '%s:%s:1::::::\n' "$1" "$hash" >> "$ROOT/etc/.shadow.new"
  if [ -n "$6" ]; then
    mkdir -p "$ROOT$5"
    if [ "$(id -u)" = 0 ]; then chown "$2:$3" "$ROOT$5" 2> /dev/null || true; fi
    chmod "$6" "$ROOT$5"
  fi
}

# Every file is a link into /etc/static, or a copy with a mode of its own; files of the system
# before that are no more are removed.
step_etc() {
  if [ -e "$ROOT/etc/.files" ]; then
    LC_ALL=C comm -23 "$ROOT/etc/.files" "$system/etc-tree/files" | (cd "$ROOT/etc" && xargs -r -d '\n' rm -f --)
  fi
  ln -sfn "$system/etc" "$ROOT/etc/.static.new" && mv -Tf "$ROOT/etc/.static.new" "$ROOT/etc/static"
  cp -rP --remove-destination --no-preserve=mode "$system/etc-tree/links/." "$ROOT/etc/"
  while read -r mode user group file; do
    mkdir -p "$(dirname "$ROOT/etc/$file")"
    cp --remove-destination -L "$system/etc/$file" "$ROOT/etc/.new" && chmod "$mode" "$ROOT/etc/.new"
    if [ "$(id -u)" = 0 ]; then chown "${user#+}:${group#+}" "$ROOT/etc/.new" 2>/dev/null || true; fi
    mv -f "$ROOT/etc/.new" "$ROOT/etc/$file"
  done < "$system/etc-tree/modes"
  cp -f --no-preserve=mode "$system/etc-tree/files" "$ROOT/etc/.files"
}

dry=false
if [ "${NIXOS_ACTION:-}" = dry-activate ]; then dry=true; fi
steps=$ROOT/var/log/activation-steps
: > "$steps"
. "$system/activation-steps"
if [ "$dry" = false ]; then
  ln -sfn "$system" "$ROOT/run/.current-system.new" && mv -Tf "$ROOT/run/.current-system.new" "$ROOT/run/current-system"
fi
exit $status
