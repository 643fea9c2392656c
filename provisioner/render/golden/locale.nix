# This instance: what its user-data asks for.
# Written by firstlight; changes belong into local.nix.

{ ... }:
{
  time.timeZone = "Europe/Zurich";
  i18n.defaultLocale = "de_CH.UTF-8";
  console.useXkbConfig = true;

  services.xserver.xkb = {
    layout = "ch";
    variant = "de";
    model = "pc105";
    options = "compose:ralt";
  };

  services.firstlight.enable = true;
}
