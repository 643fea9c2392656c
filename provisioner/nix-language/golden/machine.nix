# Made by firstlight.
# Changes go into local.nix.

{
  config,
  lib,
  pkgs,
  ...
}:
{
  imports = [
    ./network.nix
    ./hardware.nix
  ];

  networking = {
    hostName = "kiosk-7";
    firewall.allowedTCPPorts = [
      22
      443
    ];
  };

  time.timeZone = "Europe/Berlin";
  i18n.defaultLocale = "de_DE.UTF-8";

  services.openssh = {
    enable = true;
    settings = {
      PasswordAuthentication = false;
      X11Forwarding = false;
    };
  };

  services.fwupd.enable = true;

  users.users.alice = {
    isNormalUser = true;
    shell = pkgs.zsh;
    openssh.authorizedKeys.keys = [
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ4nGGmZ7mNqcFr9sVm8eBvO7R2Y alice@example"
    ];
  };

  users.groups.kiosk = { };

  environment = {
    # asked for by packages
    systemPackages = with pkgs; [
      vim
      git
    ];
    etc.motd.text = ''
      Welcome.

        Costs ''${nothing}.
    '';
  };

  system.stateVersion = "25.11";
}
