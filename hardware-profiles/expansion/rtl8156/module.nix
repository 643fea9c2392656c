# Ethernet on USB with the chip RTL8156: a rule that stands beside those of others. The reason and source
# stand in profile.yaml.
{ ... }:

{
  services.udev.extraRules = ''
    ACTION=="add", SUBSYSTEM=="usb", ATTR{idVendor}=="0bda", ATTR{idProduct}=="8156", ATTR{power/autosuspend}="20"
  '';
}
