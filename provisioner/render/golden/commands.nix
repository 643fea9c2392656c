# This instance: what its user-data asks for.
# Written by firstlight; changes belong into local.nix.

{ lib, pkgs, ... }:
{
  systemd.units."enabled.service".text = lib.mkOverride 90 ''
    [Service]
    ExecStart=/opt/app/run

    [Install]
    WantedBy=multi-user.target
  '';

  systemd.services = {
    firstlight-command-bootcmd = {
      description = "Run bootcmd of the spec";
      wantedBy = [
        "multi-user.target"
        "sysinit-reactivation.target"
      ];
      wants = [ "network-pre.target" ];
      before = [
        "network-pre.target"
        "sysinit-reactivation.target"
      ];
      after = [ "firstlight-files.service" ];
      unitConfig = {
        ConditionPathExists = "!/run/firstlight/stamps/bootcmd-cfdc08e84c6840fa";
      };
      path = [
        pkgs.bash
        "/run/wrappers"
        "/run/current-system/sw"
      ];
      environment = {
        HOME = "/root";
        INSTANCE_ID = "i-0001";
      };
      restartIfChanged = false;
      script = ''
        stamp=/run/firstlight/stamps/bootcmd-cfdc08e84c6840fa
        mkdir -p "''${stamp%/*}"
        bootId=$(cat /proc/sys/kernel/random/boot_id)
        startedAt=$(date -u +%FT%TZ)
        record() { # end, exit code: on disk before anything else happens
          printf '{"v":1,"bootId":"%s","startedAt":"%s","endedAt":%s,"exitCode":%s}\n' \
            "$bootId" "$startedAt" "$1" "$2" > "$stamp.new"
          mv -T "$stamp.new" "$stamp"
          sync "$stamp" "''${stamp%/*}"
        }
        trap : TERM # it is told how the script ended, also when it was stopped
        record null null
        code=0
        sh "$CREDENTIALS_DIRECTORY"/bootcmd || code=$?
        record "\"$(date -u +%FT%TZ)\"" $code
        exit $code
      '';
      serviceConfig = {
        Type = "oneshot";
        TimeoutStartSec = "5min";
        LoadCredentialEncrypted = [ "bootcmd:/var/lib/firstlight/credentials/bootcmd@0123456789abcdef" ];
      };
    };
    firstlight-command-runcmd = {
      description = "Run runcmd of the spec";
      unitConfig = {
        ConditionPathExists = "!/var/lib/firstlight/stamps/d924710c3f490881/runcmd-669f271f452a653b";
      };
      path = [
        (pkgs.writeShellScriptBin "systemctl" (
          "systemctl=${pkgs.systemd}/bin/systemctl\ntools=${pkgs.coreutils}/bin\n"
          + ''
            marks=/var/lib/firstlight/stamps/d924710c3f490881 units=" enabled.service "
            verb= now= own=1 options=() names=()
            for word; do
              case $word in
                --now) now=1 ;;
                -q | --quiet | --no-block) options+=("$word") ;;
                -*) own= ;;
                *)
                  if [ -z "$verb" ]; then verb=$word; continue; fi
                  name=''${word#/etc/systemd/system/}
                  case $name in *.service | *.socket | *.timer | *.path) ;; *) name=$name.service ;; esac
                  case $units in *" $name "*) names+=("$name") ;; *) own= ;; esac
                  ;;
              esac
            done
            if [ "$verb" != enable ] || [ -z "$own" ] || [ "''${#names[@]}" = 0 ]; then exec "$systemctl" "$@"; fi
            set -e
            "$tools/mkdir" -p "$marks"
            for name in "''${names[@]}"; do
              : > "$marks/enabled-$name"
              "$tools/sync" "$marks/enabled-$name"
            done
            "$tools/sync" "$marks"
            [ -n "$now" ] || exit 0
            exec "$systemctl" "''${options[@]}" start "''${names[@]}"
          ''
        ))
        pkgs.bash
        "/run/wrappers"
        "/run/current-system/sw"
      ];
      environment = {
        HOME = "/root";
        INSTANCE_ID = "i-0001";
      };
      restartIfChanged = false;
      script = ''
        stamp=/var/lib/firstlight/stamps/d924710c3f490881/runcmd-669f271f452a653b
        mkdir -p "''${stamp%/*}"
        bootId=$(cat /proc/sys/kernel/random/boot_id)
        startedAt=$(date -u +%FT%TZ)
        record() { # end, exit code: on disk before anything else happens
          printf '{"v":1,"bootId":"%s","startedAt":"%s","endedAt":%s,"exitCode":%s}\n' \
            "$bootId" "$startedAt" "$1" "$2" > "$stamp.new"
          mv -T "$stamp.new" "$stamp"
          sync "$stamp" "''${stamp%/*}"
        }
        trap : TERM # it is told how the script ended, also when it was stopped
        record null null
        code=0
        bash "$CREDENTIALS_DIRECTORY"/runcmd || code=$?
        record "\"$(date -u +%FT%TZ)\"" $code
        exit $code
      '';
      serviceConfig = {
        Type = "oneshot";
        LoadCredentialEncrypted = [ "runcmd:/var/lib/firstlight/credentials/runcmd@0123456789abcdef" ];
      };
    };
    "firstlight-command-setup.py" = {
      description = "Run setup.py of the spec";
      unitConfig = {
        ConditionPathExists = "!/var/lib/firstlight/stamps/once/setup.py-1d71a8386713c278";
      };
      path = [
        pkgs.bash
        "/run/wrappers"
        "/run/current-system/sw"
      ];
      environment = {
        HOME = "/root";
        INSTANCE_ID = "i-0001";
      };
      restartIfChanged = false;
      script = ''
        stamp=/var/lib/firstlight/stamps/once/setup.py-1d71a8386713c278
        mkdir -p "''${stamp%/*}"
        bootId=$(cat /proc/sys/kernel/random/boot_id)
        startedAt=$(date -u +%FT%TZ)
        record() { # end, exit code: on disk before anything else happens
          printf '{"v":1,"bootId":"%s","startedAt":"%s","endedAt":%s,"exitCode":%s}\n' \
            "$bootId" "$startedAt" "$1" "$2" > "$stamp.new"
          mv -T "$stamp.new" "$stamp"
          sync "$stamp" "''${stamp%/*}"
        }
        trap : TERM # it is told how the script ended, also when it was stopped
        record null null
        code=0
        install -m 0700 "$CREDENTIALS_DIRECTORY"/setup.py "$RUNTIME_DIRECTORY"/script && sh "$CREDENTIALS_DIRECTORY"/setup.py-starter "$RUNTIME_DIRECTORY"/script || code=$?
        record "\"$(date -u +%FT%TZ)\"" $code
        exit $code
      '';
      serviceConfig = {
        Type = "oneshot";
        RuntimeDirectory = "firstlight-command-setup.py";
        RuntimeDirectoryMode = "0700";
        LoadCredentialEncrypted = [
          "setup.py:/var/lib/firstlight/credentials/setup.py@0123456789abcdef"
          "setup.py-starter:/var/lib/firstlight/credentials/setup.py-starter@0123456789abcdef"
        ];
      };
    };
    firstlight-commands = {
      description = "Run the late commands of the spec, one after another";
      wantedBy = [ "multi-user.target" ];
      wants = [ "network-online.target" ];
      after = [
        "multi-user.target"
        "network-online.target"
        "firstlight-files.service"
        "firstlight-files-mounted.service"
        "firstlight-files-deferred.service"
      ];
      restartTriggers = [
        "/var/lib/firstlight/stamps/d924710c3f490881/runcmd-669f271f452a653b"
        "/var/lib/firstlight/stamps/once/setup.py-1d71a8386713c278"
      ];
      script = ''
        systemctl start firstlight-command-runcmd.service || true
        [ -e /var/lib/firstlight/stamps/d924710c3f490881/runcmd-669f271f452a653b ] || systemctl start firstlight-command-runcmd.service || true
        systemctl start firstlight-command-setup.py.service || true
        [ -e /var/lib/firstlight/stamps/once/setup.py-1d71a8386713c278 ] || systemctl start firstlight-command-setup.py.service || true
      '';
      serviceConfig = {
        Type = "exec";
        RemainAfterExit = true;
      };
    };
  };

  systemd.generators.firstlight-enabled-units = pkgs.writeShellScript "enabled-units" (
    "tools=${pkgs.coreutils}/bin out=$1\n"
    + ''
      enabled() { # mark, unit, what wants it
        [ -e "$1" ] || return 0
        "$tools/mkdir" -p "$out/$3.wants"
        "$tools/ln" -sfn "/etc/systemd/system/$2" "$out/$3.wants/$2"
      }
      enabled /var/lib/firstlight/stamps/d924710c3f490881/enabled-enabled.service enabled.service multi-user.target
    ''
  );

  services.firstlight.enable = true;
}
