// The shell of the unit that stands for our profiles of NetworkManager as long as a generation has any.
// A switch to a system without it stops it by what it says itself, before that system is there: the one
// who leaves cleans up.

import { asideDirectory, profilesDirectory } from "./manager-shell.ts";
import { managerFile } from "./network-secret-files.ts";
import { networkSecretPath } from "./network-secrets.ts";

/** The name of the unit. */
export const leavingUnit = "firstlight-network-manager";

const ours = `${profilesDirectory}/firstlight-*.nmconnection`;

/**
 * Bash, as the unit is stopped: nothing of ours is left, whether NetworkManager goes on or has gone
 * before, as in a switch that stops both. A restart, which a switch asks for where this text is another
 * one, takes nothing away, and a machine that goes down keeps its network to the end.
 *
 * NetworkManager leaves interfaces as they are when it ends, and takes what it finds on them for another
 * program's when it comes back; it makes a profile of its own for a card without any only as it starts
 * (`nm_device_set_unmanaged_by_quitting` and `nm_settings_device_added` of its source).
 */
export const managerLeave = `if systemctl list-jobs --plain --no-legend ${leavingUnit}.service | grep -q ' restart '; then exit 0; fi
shopt -s nullglob
lines=$(cat ${ours} ${asideDirectory}/* /dev/null)
uuids=$(sed -n 's/^uuid=//p' <<<"$lines")
rm -f -- ${ours} ${networkSecretPath(managerFile)}
rm -rf -- ${asideDirectory}
if [ -z "$uuids" ] || [ "$(systemctl is-system-running)" = stopping ]; then exit 0; fi

state() { systemctl is-active NetworkManager.service || true; }
has_ended() { [ "$(state)" != deactivating ]; }
is_free() { ! nmcli -g UUID connection show --active | grep -qxF -e "$uuids"; }

# Asks again and again, for ten seconds at most.
wait_until() {
  local tries
  for tries in {1..50}; do
    if "$@"; then return; fi
    sleep 0.2
  done
}

# What it has set up and left behind. It writes down which card has which profile, by the card's number.
clear_cards() {
  local file uuid card
  for file in /run/NetworkManager/devices/*; do
    uuid=$(sed -n 's/^connection-uuid=//p' "$file")
    if [ -z "$uuid" ] || ! grep -qxF -e "$uuid" <<<"$uuids"; then continue; fi
    card=$(ip -o link show | sed -n "s/^\${file##*/}: \\([^:@]*\\).*/\\1/p")
    if [ -z "$card" ]; then continue; fi
    if grep -qx 'nm-owned=true' "$file"; then
      ip link delete dev "$card" || true
    else
      ip address flush dev "$card" || true
      ip link set dev "$card" down || true
    fi
  done
}

# What is on no card: rules, which have the words of ip-rule(8), and routes that lead nowhere.
clear_tables() {
  local line family= to= type table
  while IFS= read -r line; do
    case $line in
      '[ipv4]') family=-4 ;;
      '[ipv6]') family=-6 ;;
      routing-rule*) ip $family rule delete \${line#*=} || true ;;
      route*_options=*type=*)
        line=,\${line#*=},
        type=\${line#*,type=}
        table=main
        case $line in *,table=*) table=\${line#*,table=} ;; esac
        ip $family route delete "\${type%%,*}" "$to" table "\${table%%,*}" || true
        ;;
      route*=*) to=\${line#*=} to=\${to%%,*} ;;
    esac
  done <<<"$lines"
}

wait_until has_ended
if [ "$(state)" = active ]; then
  nmcli connection reload || true
  wait_until is_free
  systemctl --no-block --job-mode=fail try-restart NetworkManager.service || true
else
  clear_cards
  clear_tables
fi
`;
