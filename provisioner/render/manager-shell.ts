// The shell around NixOS's unit that writes the profiles of NetworkManager. By itself it adds files
// and lets NetworkManager read them: what is gone stays until the next boot, and an interface that is
// up keeps what it was set up by.

/** Where NixOS writes the profiles: to memory. */
export const profilesDirectory = "/run/NetworkManager/system-connections";
/** Where those of the generation before lie while others are written. */
export const asideDirectory = "/run/firstlight/network-manager";

/** Bash, before the profiles are written: those of the generation before are put aside. */
export const managerProfilesBefore = `install -d -m 0700 ${asideDirectory}
rm -f -- ${asideDirectory}/*
for file in ${profilesDirectory}/firstlight-*.nmconnection; do
  if [ -e "$file" ]; then mv -- "$file" ${asideDirectory}/; fi
done
`;

/**
 * Bash, after NetworkManager has read them: an interface whose profile is another one is set up again,
 * and one that systemd-networkd has set up so far, or NetworkManager without a profile, is taken over. A
 * boot waits for none of them. Which wireless network to join is NetworkManager's choice: a profile of one
 * counts where it is in use.
 */
export const managerProfilesAfter = `wait=0
if systemctl -q is-active multi-user.target; then wait=20; fi
for file in ${profilesDirectory}/firstlight-*.nmconnection; do
  old=${asideDirectory}/\${file##*/}
  if [ -e "$old" ] && [ "$(cat "$file")" = "$(cat "$old")" ]; then continue; fi
  uuid=$(sed -n '0,/^uuid=/s/^uuid=//p' "$file")
  if nmcli -g UUID connection show --active | grep -qx "$uuid"; then
    if [ ! -e "$old" ]; then continue; fi
  elif grep -qx -e 'type=wifi' -e 'autoconnect=false' "$file"; then
    continue
  fi
  nmcli --wait "$wait" connection up uuid "$uuid" || true
done
rm -rf -- ${asideDirectory}
`;
