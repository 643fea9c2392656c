# This instance: what its user-data asks for.
# Written by firstlight; changes belong into local.nix.

{ pkgs, ... }:
{
  systemd.services = {
    firstlight-command-bootcmd = {
      description = "Run bootcmd of the spec";
      wantedBy = [ "multi-user.target" ];
      wants = [ "network-pre.target" ];
      before = [ "network-pre.target" ];
      after = [ "firstlight-files.service" ];
      unitConfig = {
        ConditionPathExists = "!/run/firstlight/stamps/bootcmd-6422792bdcee915c";
      };
      path = [
        pkgs.bash
        "/run/wrappers"
        "/run/current-system/sw"
      ];
      environment = {
        HOME = "/root";
      };
      restartIfChanged = false;
      script = ''
        install -D -m 0600 /dev/null /run/firstlight/stamps/bootcmd-6422792bdcee915c
        exec sh "$CREDENTIALS_DIRECTORY"/bootcmd
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
        ConditionPathExists = "!/var/lib/firstlight/stamps/runcmd-f663735c6d169cb5";
      };
      path = [
        pkgs.bash
        "/run/wrappers"
        "/run/current-system/sw"
      ];
      environment = {
        HOME = "/root";
      };
      restartIfChanged = false;
      script = ''
        install -D -m 0600 /dev/null /var/lib/firstlight/stamps/runcmd-f663735c6d169cb5
        sync /var/lib/firstlight/stamps/runcmd-f663735c6d169cb5 /var/lib/firstlight/stamps
        exec bash "$CREDENTIALS_DIRECTORY"/runcmd
      '';
      serviceConfig = {
        Type = "oneshot";
        LoadCredentialEncrypted = [ "runcmd:/var/lib/firstlight/credentials/runcmd@0123456789abcdef" ];
      };
    };
    firstlight-commands = {
      description = "Run the late commands of the spec, one after another";
      wantedBy = [ "multi-user.target" ];
      wants = [ "network-online.target" ];
      after = [
        "network-online.target"
        "firstlight-files.service"
        "firstlight-files-deferred.service"
      ];
      restartTriggers = [ "0b56204b6862756193665915cd50b0d5d7a57c14eb0ba3729f6304b22e48c892" ];
      script = ''
        systemctl start firstlight-command-runcmd.service || true
        [ -e /var/lib/firstlight/stamps/runcmd-f663735c6d169cb5 ] || systemctl start firstlight-command-runcmd.service || true
      '';
      serviceConfig = {
        Type = "exec";
        RemainAfterExit = true;
      };
    };
  };

  services.firstlight.enable = true;
}
