# Framework Laptop 16: texts that stand beside those of others. The reasons and
# sources stand in profile.yaml.
{ ... }:

{
  services.udev.extraRules = ''
    KERNEL=="hidraw*", SUBSYSTEM=="hidraw", ATTRS{idVendor}=="32ac", ATTRS{idProduct}=="0012", MODE="0660", GROUP="users"
  '';

  environment.etc."libinput/local-overrides.quirks".text = ''
    [Keyboard of the Framework Laptop 16]
    MatchName=Framework Laptop 16 Keyboard Module*
    MatchUdevType=keyboard
    MatchDMIModalias=dmi:*svnFramework:pnLaptop16*
    AttrKeyboardIntegration=internal
  '';
}
