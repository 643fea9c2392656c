# This instance: what its user-data asks for.
# Written by firstlight; changes belong into local.nix.

{ pkgs, ... }:
{
  systemd = {
    packages = [
      (pkgs.writeTextDir
        "etc/systemd/system/NetworkManager-ensure-profiles.service.d/firstlight-network-secrets.conf"
        ''
          [Unit]
          Wants=firstlight-network-secrets.service
          After=firstlight-network-secrets.service
          X-Restart-Triggers=_network-manager:9abb720ac78de942,9c14d6f319f67140,5da187520125c0f1,4a5ff3cccae2ac80
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
        "NetworkManager-ensure-profiles.service"
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

        variable() {
          local value
          value=$(cat -- "$2") || return 1
          case $value in
            *[[:cntrl:]]*)
              echo "firstlight: ''${2##*/} is no single line, which a profile of NetworkManager takes" >&2
              return 1
              ;;
          esac
          value=''${value//\\/\\\\}
          case $value in ' '*) value="\\s''${value# }" ;; esac
          value=''${value//\\/\\\\}
          value=''${value//\"/\\\"}
          value=''${value//\$/\\\$}
          value=''${value//\`/\\\`}
          printf '%s="%s"\n' "$1" "$value"
        }

        failed=
        set +e
        trap 'failed+="; $BASH_COMMAND"' ERR
        lines=
        lines+=$(variable FIRSTLIGHT_NETWORK_WG0_PEER_0_9abb720a "$CREDENTIALS_DIRECTORY/network-wg0-peer-0")$'\n'
        lines+=$(variable FIRSTLIGHT_NETWORK_WG0_PRIVATE_KEY_9c14d6f3 "$CREDENTIALS_DIRECTORY/network-wg0-private-key")$'\n'
        lines+=$(variable FIRSTLIGHT_WIFI_CAFE_5da18752 "$CREDENTIALS_DIRECTORY/wifi-cafe")$'\n'
        lines+=$(variable FIRSTLIGHT_WIFI_HOME_4a5ff3cc "$CREDENTIALS_DIRECTORY/wifi-home")$'\n'
        put 0600 root root /run/firstlight/network /run/firstlight/network/_network-manager <(printf %s "$lines")
        keep_only _network-manager
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
          "network-wg0-peer-0:/var/lib/firstlight/credentials/network-wg0-peer-0@0123456789abcdef"
          "network-wg0-private-key:/var/lib/firstlight/credentials/network-wg0-private-key@0123456789abcdef"
          "wifi-cafe:/var/lib/firstlight/credentials/wifi-cafe@0123456789abcdef"
          "wifi-home:/var/lib/firstlight/credentials/wifi-home@0123456789abcdef"
        ];
      };
    };
  };

  services.firstlight.enable = true;

  networking.firewall = {
    interfaces.office.allowedUDPPorts = [ 4789 ];
    allowedUDPPorts = [ 51820 ];
  };
}
