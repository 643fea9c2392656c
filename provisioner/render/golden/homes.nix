# This instance: what its user-data asks for.
# Written by firstlight; changes belong into local.nix.

{ config, ... }:
{
  users.users.alice = {
    isNormalUser = true;
    group = "alice";
  };

  users.users.bob-b = {
    isNormalUser = true;
    group = "bob-b";
    home = "/srv/bob";
  };

  users.users.collector = {
    isSystemUser = true;
    group = "collector";
  };

  users.groups = {
    alice = { };
    bob-b = { };
    collector = { };
  };

  systemd.services = {
    firstlight-homes = {
      description = "Make homes that are missing on mounts of the spec";
      wantedBy = [
        "multi-user.target"
        "sysinit-reactivation.target"
      ];
      wants = [ "home.mount" ];
      before = [
        "firstlight-files.service"
        "sysinit-reactivation.target"
        "systemd-user-sessions.service"
      ];
      after = [ "home.mount" ];
      environment = {
        MODE_0 = config.users.users.alice.homeMode;
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

        # Makes the home of a user: user, mode, path. What is root's there is as good as missing: the top of a
        # new file system. Whose it is otherwise, it stays.
        home() (
          set -e
          enter "''${3%/*}"
          name=''${3##*/}
          if [ -e "./$name" ] && [ ! -O "./$name" ]; then exit 0; fi
          if ! ours; then
            echo "firstlight: the home of $1 is to be in a directory of others; it is not made" >&2
            exit 1
          fi
          if [ ! -e "./$name" ]; then mkdir -m 0700 -- "./$name"; fi
          cd -P "./$name"
          chmod "$2" .
          chown "$1:" .
        )

        failed=
        set +e
        trap 'failed+="; $BASH_COMMAND"' ERR
        home alice "$MODE_0" /home/alice
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
    firstlight-homes-deferred = {
      description = "Make homes that are missing on mounts of the spec";
      wantedBy = [ "multi-user.target" ];
      wants = [ "srv.mount" ];
      before = [
        "firstlight-files-deferred.service"
        "systemd-user-sessions.service"
      ];
      after = [ "srv.mount" ];
      environment = {
        MODE_0 = config.users.users.bob-b.homeMode;
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

        # Makes the home of a user: user, mode, path. What is root's there is as good as missing: the top of a
        # new file system. Whose it is otherwise, it stays.
        home() (
          set -e
          enter "''${3%/*}"
          name=''${3##*/}
          if [ -e "./$name" ] && [ ! -O "./$name" ]; then exit 0; fi
          if ! ours; then
            echo "firstlight: the home of $1 is to be in a directory of others; it is not made" >&2
            exit 1
          fi
          if [ ! -e "./$name" ]; then mkdir -m 0700 -- "./$name"; fi
          cd -P "./$name"
          chmod "$2" .
          chown "$1:" .
        )

        failed=
        set +e
        trap 'failed+="; $BASH_COMMAND"' ERR
        home bob-b "$MODE_0" /srv/bob
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

  fileSystems = {
    "/home" = {
      device = "/dev/vdb1";
    };
    "/srv" = {
      device = "192.0.2.9:/export";
      fsType = "nfs";
    };
  };

  services.firstlight.enable = true;
}
