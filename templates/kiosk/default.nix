# One program over the whole screen, by the compositor cage.
{
  url ? null,
  program ? null,
  user ? "kiosk",
  browserFlags ? [ ],
  rotate ? "normal",
  cursor ? false,
  audio ? true,
}:
{ lib, pkgs, ... }:
let
  browser = [
    "${pkgs.chromium}/bin/chromium"
    "--kiosk"
    "--ozone-platform=wayland"
    "--no-first-run"
    "--noerrdialogs"
    "--disable-infobars"
    "--disable-session-crashed-bubble"
    "--password-store=basic"
  ]
  ++ browserFlags
  ++ [ url ];
  start = pkgs.writeShellScript "kiosk" ''
    ${lib.optionalString (rotate != "normal") ''
      for output in $(${pkgs.wlr-randr}/bin/wlr-randr | ${pkgs.gnugrep}/bin/grep -o '^[^ ]*'); do
        ${pkgs.wlr-randr}/bin/wlr-randr --output "$output" --transform ${rotate}
      done
    ''}
    exec ${if program != null then lib.escapeShellArg program else lib.escapeShellArgs browser}
  '';
in
{
  assertions = [
    {
      assertion = (url != null) != (program != null);
      message = "kiosk: give either url or program";
    }
  ];

  services.cage = {
    enable = true;
    inherit user;
    program = "${start}";
    extraArguments = [ "-d" ];
    environment = lib.optionalAttrs (!cursor) { XCURSOR_SIZE = "1"; };
  };

  systemd.services."cage-tty1".serviceConfig = {
    Restart = "always";
    RestartSec = 2;
  };

  users.users.${user} = {
    isNormalUser = true;
    extraGroups = lib.optional audio "audio" ++ [ "video" ];
  };

  services.pipewire = lib.mkIf audio {
    enable = true;
    alsa.enable = true;
    pulse.enable = true;
  };
}
