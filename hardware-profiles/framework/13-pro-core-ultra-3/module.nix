# Framework Laptop 13 Pro (Intel Core Ultra Series 3): a parameter that comes after the one of
# nixos-hardware, since the kernel takes the last. The reason and source stand in profile.yaml.
{ lib, ... }:

{
  boot.kernelParams = lib.mkAfter [ "nvme.noacpi=0" ];
}
