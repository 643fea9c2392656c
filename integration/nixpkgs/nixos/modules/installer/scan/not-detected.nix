# As in NixOS: hardware that was not looked at may need firmware.
{ lib, ... }: { hardware.enableRedistributableFirmware = lib.mkDefault true; }
