# This instance: what its user-data asks for.
# Written by firstlight; changes belong into local.nix.

{ ... }:
{
  networking.timeServers = [
    "ntp1.example.org"
    "0.pool.example.org"
  ];

  services.chrony.enable = true;
  services.firstlight.enable = true;
}
