# This instance: what its user-data asks for.
# Written by firstlight; changes belong into local.nix.

{ pkgs, ... }:
{
  users.groups.operators = { };

  systemd = {
    packages = [
      (pkgs.writeTextDir "etc/systemd/system/systemd-networkd.service.d/firstlight-network-secrets.conf"
        ''
          [Unit]
          Wants=firstlight-network-secrets.service
          After=firstlight-network-secrets.service
          X-Restart-Triggers=wg0:c7ba93b2b61ff7a2
        ''
      )
      (pkgs.writeTextDir
        "etc/systemd/system/wpa_supplicant-wlan0.service.d/firstlight-network-secrets.conf"
        ''
          [Unit]
          Wants=firstlight-network-secrets.service
          After=firstlight-network-secrets.service
          X-Restart-Triggers=wireless:2356904df9cc5e22
        ''
      )
    ];
    services.firstlight-network-secrets = {
      description = "Put secrets of the network in place";
      wantedBy = [
        "multi-user.target"
        "sysinit-reactivation.target"
      ];
      wants = [ "network-pre.target" ];
      before = [
        "network-pre.target"
        "sysinit-reactivation.target"
        "systemd-networkd.service"
        "wpa_supplicant-wlan0.service"
      ];
      path = [ pkgs.util-linux ];
      script = ''
        # Whether only root can change what is in this directory.
        ours() { [ -O . ] && [ $((0$(stat -c %a .) & 022)) -eq 0 ]; }

        inode() { stat -c %d:%i "$1"; }

        # Goes to a directory and makes what is missing. In one that others can change, no link is followed:
        # what was entered lies there, and has that name. What is made is given away from within, while it is
        # empty and nobody else has written to it: nothing that was there before changes hands.
        enter() {
          local rest=''${1#/} owner=''${2:-root:root} part above made
          cd /
          while [ -n "$rest" ]; do
            part=''${rest%%/*}
            rest=''${rest#"$part"}
            rest=''${rest#/}
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

        # Takes the place of a file of this directory at once: mode, owner, group, name, contents. The new
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
          enter "''${5%/*}" "$2:$3"
          replace "$1" "$2" "$3" "''${5##*/}" "''${@:6}"
        )

        # Removes what is no secret of the network any more: names of those that are.
        keep_only() {
          local file name
          for file in /run/firstlight/network/*; do
            for name in "$@"; do
              if [ "$file" = "/run/firstlight/network/$name" ]; then continue 2; fi
            done
            rm -f -- "$file"
          done
        }

        install -d -m 0711 /run/firstlight/network
        mountpoint -q /run/firstlight/network || mount -t ramfs -o mode=0711 ramfs /run/firstlight/network || true

        failed=
        set +e
        trap 'failed+="; $BASH_COMMAND"' ERR
        put 0440 root systemd-network /run/firstlight/network /run/firstlight/network/wg0 "$CREDENTIALS_DIRECTORY/wg-key"
        put 0440 root operators /run/firstlight/network /run/firstlight/network/wireless "$CREDENTIALS_DIRECTORY/wireless.conf"
        keep_only wg0 wireless
        if [ -n "$failed" ]; then
          echo "firstlight: not as asked: ''${failed#; }" >&2
          exit 1
        fi
      '';
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        TimeoutStartSec = "1min";
        LoadCredentialEncrypted = [
          "wg-key:/var/lib/firstlight/credentials/wg-key@0123456789abcdef"
          "wireless.conf:/var/lib/firstlight/credentials/wireless.conf@0123456789abcdef"
        ];
      };
    };
  };

  services.firstlight.enable = true;
}
