# A desktop with GNOME. Newer releases of NixOS have its options at another place.
{
  autoLogin ? null,
  printing ? true,
  bluetooth ? true,
  flatpak ? false,
  packages ? [ "firefox" ],
  fonts ? true,
}:
{
  lib,
  options,
  pkgs,
  ...
}:
lib.mkMerge [
  (
    if options ? services.desktopManager.gnome then
      {
        services.desktopManager.gnome.enable = true;
        services.displayManager.gdm.enable = true;
      }
    else
      {
        services.xserver.desktopManager.gnome.enable = true;
        services.xserver.displayManager.gdm.enable = true;
      }
  )
  {
    services = {
      xserver.enable = true;
      pipewire = {
        enable = true;
        alsa.enable = true;
        pulse.enable = true;
      };
      printing.enable = printing;
      avahi = {
        enable = printing;
        nssmdns4 = printing;
      };
      flatpak.enable = flatpak;
      fwupd.enable = true;
      displayManager.autoLogin = lib.mkIf (autoLogin != null) {
        enable = true;
        user = autoLogin;
      };
    };

    security.rtkit.enable = true;
    hardware.bluetooth.enable = bluetooth;
    networking.networkmanager.enable = true;

    environment.systemPackages = map (
      name: lib.getAttrFromPath (lib.splitString "." name) pkgs
    ) packages;

    fonts.packages = lib.optionals fonts [
      pkgs.noto-fonts
      pkgs.noto-fonts-cjk-sans
      pkgs.noto-fonts-color-emoji
    ];
  }
]
