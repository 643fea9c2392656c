# This instance: what its user-data asks for.
# Written by firstlight; changes belong into local.nix.

{ ... }:
{
  services.firstlight.enable = true;

  networking.firewall = {
    allowedTCPPorts = [ 443 ];
    allowedUDPPorts = [ 123 ];
    interfaces.br0 = {
      allowedTCPPorts = [ 53 ];
      allowedUDPPorts = [
        53
        67
      ];
    };
  };
}
