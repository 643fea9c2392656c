# This instance: what its user-data asks for.
# Written by firstlight; changes belong into local.nix.

{ ... }:
{
  services.firstlight = {
    metadataService = {
      addresses = [
        "169.254.169.254"
        "fd00:ec2::254"
      ];
      ports = [
        80
        8080
      ];
    };
    enable = true;
  };
}
