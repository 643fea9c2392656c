# This instance: what its user-data asks for.
# Written by firstlight; changes belong into local.nix.

{ ... }:
{
  services.openssh = {
    enable = true;
    settings = {
      PasswordAuthentication = false;
      KbdInteractiveAuthentication = false;
      PermitRootLogin = "no";
    };
  };

  services.firstlight.enable = true;
}
