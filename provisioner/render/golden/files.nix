# This instance: what its user-data asks for.
# Written by firstlight; changes belong into local.nix.

{ pkgs, ... }:
{
  users.users.alice = {
    isNormalUser = true;
    group = "alice";
  };

  users.groups = {
    alice = { };
    operators = { };
  };

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
        FILE_6 = pkgs.writeText "file-6" "first\n";
      };
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

        # Where it stands what was done to a path for an instance: in memory where that is.
        stampsFor() {
          local at=$1
          until [ -e "''${at:-/}" ]; do at=''${at%/*}; done
          case $(stat -L -f -c %T "''${at:-/}") in
            tmpfs | ramfs) echo "/run/firstlight/stamps/$2" ;;
            *) echo "/var/lib/firstlight/stamps/$2" ;;
          esac
        }

        # Adds to the end of a file, once: stamp, mode, owner, group, directory that is the system's, path,
        # contents. The file is replaced by a longer one. After a crash in between, its end tells whether that
        # was done.
        add() (
          set -e
          stamp=$1 mode=$2 owner=$3 group=$4 path=$6 contents=$7
          if [ -e "$stamp" ]; then exit 0; fi
          enter "$5"
          enter "''${path%/*}" "$owner:$group"
          if [ -L "./''${path##*/}" ] && ours; then
            path=$(readlink -f "./''${path##*/}")
            enter "''${path%/*}"
          fi
          case $PWD/ in
            /nix/store/*)
              echo "firstlight: $path is part of the system, nothing can be added to it" >&2
              exit 1
              ;;
          esac
          name=''${path##*/}
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

        # Does something unless it was the last that was done: stamp, a name for it, what to do.
        once() (
          set -e
          if [ -e "$1" ] && [ "$(cat "$1")" = "$2" ]; then exit 0; fi
          "''${@:3}"
          mkdir -p "''${1%/*}"
          printf '%s\n' "$2" > "$1.new"
          mv -T "$1.new" "$1"
          sync "$1" "''${1%/*}"
        )

        failed=
        set +e
        trap 'failed+="; $BASH_COMMAND"' ERR
        put 0600 alice root /etc /etc/app/token "$CREDENTIALS_DIRECTORY/file-token"
        put 0644 root root /opt /opt/app/env "$FILE_3"
        add "$(stampsFor /opt/app/log d924710c3f490881)"/append-bbb3b41b8817512b 0644 root root /opt /opt/app/log "$CREDENTIALS_DIRECTORY/file-line"
        once "$(stampsFor /opt/app d924710c3f490881)"/file-3a937ddf07028b9d 0ecab7f4543b0da0 put 0644 root root /opt /opt/app/first "$FILE_6"
        if [ -n "$failed" ]; then
          echo "firstlight: not as asked: ''${failed#; }" >&2
          exit 1
        fi
      '';
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        TimeoutStartSec = "5min";
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
        "firstlight-files-mounted.service"
      ];
      environment = {
        FILE_5 = pkgs.writeText "file-5" "late\n";
      };
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

        failed=
        set +e
        trap 'failed+="; $BASH_COMMAND"' ERR
        put 0644 root root /opt /opt/app/late "$FILE_5"
        if [ -n "$failed" ]; then
          echo "firstlight: not as asked: ''${failed#; }" >&2
          exit 1
        fi
      '';
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        TimeoutStartSec = "5min";
      };
    };
  };

  services.firstlight.enable = true;
}
