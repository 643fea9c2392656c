# This instance: what its user-data asks for.
# Written by firstlight; changes belong into local.nix.

{ pkgs, ... }:
{
  environment.etc = {
    motd.text = "welcome\n";
    "app/config" = {
      text = "a = 1\n";
      mode = "0664";
      user = "alice";
      group = "operators";
    };
  };

  systemd.services = {
    firstlight-files = {
      description = "Put files of the spec in place";
      wantedBy = [
        "multi-user.target"
        "sysinit-reactivation.target"
      ];
      wants = [ "network-pre.target" ];
      before = [
        "network-pre.target"
        "sysinit-reactivation.target"
      ];
      environment = {
        FILE_3 = pkgs.writeText "file-3" "A=1\n";
      };
      script = ''
        # Takes the place of a file at once: mode, owner, group, path, contents.
        put() {
          local mode=$1 owner=$2 group=$3 path=$4
          shift 4
          mkdir -p "''${path%/*}/"
          (umask 077 && cat -- "$@" > "$path.firstlight")
          chown "$owner:$group" "$path.firstlight"
          chmod "$mode" "$path.firstlight"
          mv -T "$path.firstlight" "$path"
        }

        # Adds to the end of a file, once: stamp, mode, owner, group, path, contents. After a crash in
        # between, the end of the file tells whether it was added.
        add() {
          local stamp=/var/lib/firstlight/stamps/$1 mode=$2 owner=$3 group=$4 path=$5 contents=$6
          if [ -e "$stamp" ]; then return; fi
          case $(readlink -f "$path") in
            /nix/store/*)
              echo "firstlight: $path is part of the system, nothing can be added to it" >&2
              return 1
              ;;
          esac
          if [ ! -e "$path" ]; then put "$mode" "$owner" "$group" "$path" /dev/null; fi
          local size
          size=$(stat -L -c %s "$contents")
          if [ ! -e "$stamp.begun" ] || [ "$(tail -c "$size" "$path" | sha256sum)" != "$(sha256sum < "$contents")" ]; then
            install -D -m 0600 /dev/null "$stamp.begun"
            cat -- "$contents" >> "$path"
            sync "$path"
          fi
          mv "$stamp.begun" "$stamp"
        }

        put 0600 alice root /etc/app/token "$CREDENTIALS_DIRECTORY/file-token"
        put 0644 root root /opt/app/env "$FILE_3"
        add append-298e776962befd25 0644 root root /opt/app/log "$CREDENTIALS_DIRECTORY/file-line"
      '';
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        LoadCredentialEncrypted = [
          "file-token:/var/lib/firstlight/credentials/file-token@0123456789abcdef"
          "file-line:/var/lib/firstlight/credentials/file-line@0123456789abcdef"
        ];
      };
    };
    firstlight-files-deferred = {
      description = "Put files of the spec in place, the later ones";
      wantedBy = [ "multi-user.target" ];
      wants = [ "network-online.target" ];
      after = [
        "network-online.target"
        "firstlight-files.service"
      ];
      environment = {
        FILE_5 = pkgs.writeText "file-5" "late\n";
      };
      script = ''
        # Takes the place of a file at once: mode, owner, group, path, contents.
        put() {
          local mode=$1 owner=$2 group=$3 path=$4
          shift 4
          mkdir -p "''${path%/*}/"
          (umask 077 && cat -- "$@" > "$path.firstlight")
          chown "$owner:$group" "$path.firstlight"
          chmod "$mode" "$path.firstlight"
          mv -T "$path.firstlight" "$path"
        }

        put 0644 root root /opt/app/late "$FILE_5"
      '';
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
      };
    };
  };

  services.firstlight.enable = true;
}
