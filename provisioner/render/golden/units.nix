# This instance: what its user-data asks for.
# Written by firstlight; changes belong into local.nix.

{ lib, pkgs, ... }:
{
  systemd = {
    units."hello.service" = {
      text = lib.mkOverride 90 ''
        [Service]
        ExecStart=/run/current-system/sw/bin/true
      '';
      wantedBy = [ "multi-user.target" ];
    };
    units."unwanted.timer".enable = lib.mkOverride 90 false;
    packages = [
      (pkgs.writeTextDir "etc/systemd/system/hello.service.d/firstlight.conf" ''
        [Service]
        LoadCredentialEncrypted=app-token:/var/lib/firstlight/credentials/app-token@0123456789abcdef
      '')
      (pkgs.writeTextDir "etc/systemd/system/sshd.service.d/firstlight.conf" ''
        [Service]
        Restart=always
      '')
    ];
  };

  services.firstlight.enable = true;
}
