{ pkgs, modulesPath, ... }:
{
  path = "${modulesPath}/profiles/qemu-guest.nix";
  dollar = "costs \$${pkgs.price}\n\${x}";
  call = "${toString 1}${"x"}";
}
