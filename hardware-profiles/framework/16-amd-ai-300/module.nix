# Framework Laptop 16 (AMD Ryzen AI 300 Series): a parameter that comes after those of nixos-hardware,
# since the kernel takes the last. The reason and source stand in profile.yaml.
{ lib, ... }:

{
  boot.kernelParams = lib.mkAfter [ "amdgpu.dcdebugmask=0x410" ];
}
