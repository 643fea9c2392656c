# The stand-in's switch-to-configuration: actions, order, words and exit codes are those of NixOS.
#   1 refused before anything changed (usage, check, boot loader)   4 switched, but something failed
#   100 another init interface: reboot                              11 another one is at work
# A file stand-in/ACTION in the machine's root says otherwise, for tests: `hang`, `refuse N` (before
# any work), or `exit N` (after it).
action=${1:-}
actions=$(cat "$system/switch-actions")
case "|$actions|" in
*"|${action:-none}|"*) ;;
*) echo "Usage: $0 [$actions]" >&2; exit 1 ;;
esac

log=$ROOT/var/log/switches
finish() {
  trap - EXIT
  if [ "$1" -eq 0 ] && [ "${word:-}" = exit ]; then set -- "$number"; fi
  echo "$action $system $1" >> "$log"
  exit "$1"
}
echo "$action $system started" >> "$log"
trap 'finish $?' EXIT
if [ -e "$ROOT/stand-in/$action" ]; then read -r word number < "$ROOT/stand-in/$action" || true; fi
case ${word:-} in
hang) exec sleep infinity ;;
refuse) word=; finish "$number" ;;
esac

exec 9> "$ROOT/run/nixos/switch-to-configuration.lock"
flock -n 9 || { echo "Could not acquire lock" >&2; exit 11; }

if [ "${NIXOS_NO_CHECK:-}" != 1 ] && ! ROOT=$ROOT inside "$system/pre-switch-checks" "$system" "$action"; then
  echo "Pre-switch checks failed" >&2
  exit 1
fi
if [ "$action" = check ]; then exit 0; fi

if [ "$action" = switch ] || [ "$action" = boot ]; then
  "$system/bin/install-boot-loader" || { echo "Failed to install bootloader" >&2; exit 1; }
fi
if [ "$action" = boot ]; then exit 0; fi

current=$(readlink "$ROOT/run/current-system")
if [ -n "$current" ] && ! cmp -s "$current/init-interface-version" "$system/init-interface-version"; then
  echo "Warning: do not know how to make this configuration the running one: its init interface is another. Reboot." >&2
  exit 100
fi

# Units of the old and the new system, and what is to be done with each.
old=$current/etc/systemd/system
new=$system/etc/systemd/system
known() { [ -e "$1/$2" ] || [ -L "$1/$2" ]; }
# What a unit says: its own text, or what is laid over one of the distribution.
text() { cat "$1/$2" "$1/$2.d"/*.conf 2>/dev/null; }
says() { text "$new" "$2" | grep -q "^$1"; }
wanted() { cd "$1" 2>/dev/null && find . -path './*.wants/*' -o -path './*.requires/*' | sed 's#.*/##' | LC_ALL=C sort -u; }
# What runs of the old system: as systemd says it, else all that it wants.
running() {
  if ! has_systemd; then wanted "$old"; return; fi
  systemctl list-units --plain --no-legend --full --state=active,activating | cut -d ' ' -f 1 |
    while read -r unit; do case $unit in *.target) ;; *) known "$old" "$unit" && echo "$unit" ;; esac; done
}
stop= skip= start= restart= reload= fresh=
for unit in $(running); do
  if ! known "$new" "$unit" || [ "$(readlink "$new/$unit")" = /dev/null ]; then
    text "$old" "$unit" | grep -q '^X-StopOnRemoval=false' || stop="$stop $unit"
  elif [ "$(text "$old" "$unit")" = "$(text "$new" "$unit")" ]; then :
  elif [ "$(text "$old" "$unit" | grep -v '^X-Reload-Triggers=')" = "$(text "$new" "$unit" | grep -v '^X-Reload-Triggers=')" ]; then reload="$reload $unit"
  elif says X-RestartIfChanged=false "$unit"; then skip="$skip $unit"
  elif says X-ReloadIfChanged=true "$unit"; then reload="$reload $unit"
  elif says X-StopIfChanged=false "$unit" || [ "${unit##*.}" != service ]; then restart="$restart $unit"
  else stop="$stop $unit" start="$start $unit"
  fi
done
for unit in $(wanted "$new"); do
  if ! known "$old" "$unit"; then fresh="$fresh $unit"; fi
done
say() { # words, units
  words=$1; shift
  if [ $# -gt 0 ]; then echo "$words the following units: $(echo "$@" | sed 's/ /, /g')" >&2; fi
}

if [ "$action" = dry-activate ]; then
  say "would stop" $stop
  if [ -n "$skip" ]; then echo "would NOT stop the following changed units: $(echo $skip | sed 's/ /, /g')" >&2; fi
  echo "would activate the configuration..." >&2
  NIXOS_ACTION=dry-activate "$system/activate" >&2 || true
  say "would reload" $reload
  say "would restart" $restart
  say "would start" $start
  exit 0
fi

# A real systemd is told what is only said elsewhere.
manage() { # verb, units
  if has_systemd && [ $# -gt 1 ]; then systemctl "$@" || code=4; fi
}
has_failed() { # unit
  if has_systemd; then systemctl is-failed --quiet "$1"; else grep -qxF "$1" "$system/failing-units"; fi
}
# The targets that are reached are started again, for what they want anew.
targets() {
  for wants in "$new"/*.target.wants; do
    target=${wants##*/} target=${target%.wants}
    systemctl is-active --quiet "$target" && echo "$target"
  done
}

code=0
say "stopping" $stop
manage stop $stop
if [ -n "$skip" ]; then echo "NOT restarting the following changed units: $(echo $skip | sed 's/ /, /g')" >&2; fi
echo "activating the configuration..." >&2
NIXOS_ACTION=$action "$system/activate" 9>&- || code=4
if has_systemd; then systemctl daemon-reload || code=4; fi
say "reloading" $reload
manage reload $reload
say "restarting" $restart
manage restart $restart
say "starting" $start
if has_systemd; then manage start $start $(targets); fi
failed=
for unit in $reload $restart $start $fresh; do
  if has_failed "$unit"; then failed="$failed $unit"; fi
done
if [ -n "$fresh" ]; then echo "the following new units were started: $(echo $fresh | sed 's/ /, /g')" >&2; fi
mkdir -p "$ROOT/run/stand-in"
for unit in $failed; do echo "$unit"; done > "$ROOT/run/stand-in/failed-units"
if [ -n "$failed" ]; then
  echo "warning: the following units failed: $(echo $failed | sed 's/ /, /g')" >&2
  code=4
fi
if [ -s "$system/activation-exit-code" ]; then read -r code < "$system/activation-exit-code"; fi
exit $code
