# Framework Laptop 13 (11th Gen Intel Core): a rule that stands beside those of others. The reason and
# source stand in profile.yaml.
{ ... }:

{
  services.udev.extraRules = ''
    SUBSYSTEM=="pci", ATTR{vendor}=="0x8086", ATTR{device}=="0xa0e0", ATTR{power/control}="on"
  '';
}
