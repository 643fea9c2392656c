# What is rendered and came into NixOS after the release that is evaluated: declared here where its modules do
# not have it, so that all else meets those modules. Nothing is added to a release that has it all.
{ options }:
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  flag = mkOption {
    type = types.bool;
    default = false;
  };
  text = mkOption {
    type = types.nullOr types.str;
    default = null;
  };
  texts = mkOption {
    type = types.listOf types.str;
    default = [ ];
  };
  # Data of any form, as an option with settings takes it.
  settings = mkOption {
    type = types.attrsOf types.anything;
    default = { };
  };

  # `*` stands for the names of a set of submodules, `[]` for the places of a list of them.
  later = {
    "fonts.packages" = mkOption { type = types.listOf types.package; };
    "hardware.graphics.enable" = flag;
    "hardware.nvidia-container-toolkit.enable" = flag;
    "hardware.nvidia.nvidiaSettings" = flag;
    "hardware.nvidia.open" = flag;
    "hardware.nvidia.package" = mkOption { type = types.package; };
    "networking.wireguard.interfaces.*.mtu" = mkOption { type = types.nullOr types.int; };
    "networking.wireguard.interfaces.*.peers.[].dynamicEndpointRefreshSeconds" = mkOption {
      type = types.int;
    };
    "networking.wireless.networks.*.authProtocols" = texts;
    "networking.wireless.secretsFile" = text;
    "nix.enable" = mkOption {
      type = types.bool;
      default = true;
    };
    "nix.gc.persistent" = flag;
    "nix.gc.randomizedDelaySec" = text;
    "nix.settings" = settings;
    "nixpkgs.hostPlatform" = mkOption { type = types.str; };
    "security.acme.defaults" = settings;
    "services.avahi.nssmdns4" = flag;
    "services.cage.environment" = settings;
    "services.desktopManager.plasma6.enable" = flag;
    "services.displayManager.autoLogin" = settings;
    "services.displayManager.sddm.enable" = flag;
    "services.displayManager.sddm.wayland.enable" = flag;
    "services.k3s.clusterInit" = flag;
    "services.k3s.tokenFile" = text;
    "services.mosquitto.bridges" = settings;
    "services.mosquitto.includeDirs" = texts;
    "services.mosquitto.listeners" = mkOption { type = types.listOf (types.attrsOf types.anything); };
    "services.mosquitto.persistence" = flag;
    "services.mosquitto.settings" = settings;
    "services.openssh.settings" = settings;
    "services.pipewire.alsa.enable" = flag;
    "services.pipewire.pulse.enable" = flag;
    "services.tailscale.authKeyFile" = text;
    "services.tailscale.extraUpFlags" = texts;
    "services.tailscale.openFirewall" = flag;
    "services.tailscale.useRoutingFeatures" = text;
    "services.xserver.desktopManager.gnome.enable" = flag;
    "services.xserver.xkb" = settings;
    "swapDevices.[].options" = texts;
    "systemd.network.netdevs.*.bridgeConfig" = settings;
    "systemd.network.networks.*.bridgeConfig" = settings;
    "users.users.*.expires" = text;
    "users.users.*.hashedPasswordFile" = text;
    "virtualisation.docker.daemon.settings" = settings;
    "virtualisation.incus.enable" = flag;
    "virtualisation.incus.preseed" = settings;
    "virtualisation.oci-containers.containers.*.environmentFiles" = texts;
    "virtualisation.podman.autoPrune" = settings;
    "virtualisation.podman.defaultNetwork.settings" = settings;
    "virtualisation.podman.dockerSocket.enable" = flag;
  };

  # What the modules of before ask for, from what stands in its place now.
  before = {
    "security.acme.defaults".security.acme.email = config.security.acme.defaults.email or null;
    "services.k3s.tokenFile".services.k3s.token = lib.mkIf (
      config.services.k3s.tokenFile != null
    ) "in the file";
  };

  has =
    here: path:
    let
      inner = if here._type or null == "option" then here.type.getSubOptions [ ] else here;
      key = lib.head path;
    in
    path == [ ]
    || (
      if key == "*" || key == "[]" then
        has inner (lib.tail path)
      else
        inner ? ${key} && has inner.${key} (lib.tail path)
    );
  declare =
    path: option:
    let
      key = lib.head path;
      inner = declare (lib.tail path) option;
      submodule = types.submodule { options = inner; };
    in
    if path == [ ] then
      option
    else if key == "*" then
      mkOption { type = types.attrsOf submodule; }
    else if key == "[]" then
      mkOption { type = types.listOf submodule; }
    else
      { ${key} = inner; };
  parts = lib.splitString ".";
  missing = lib.filterAttrs (name: _: !has options (parts name)) later;
in
{
  imports = lib.mapAttrsToList (name: option: {
    options = declare (parts name) option;
    config = before.${name} or { };
  }) missing;

  nixpkgs.overlays = [
    (
      final: prev:
      {
        # The agent itself, which an image brings.
        firstlight = final.hello;
        linuxPackages = prev.linuxPackages.extend (
          _: kernel: {
            nvidiaPackages = {
              production = kernel.nvidiaPackages.stable;
            }
            // kernel.nvidiaPackages;
          }
        );
      }
      // lib.filterAttrs (name: _: !prev ? ${name}) {
        # By which modules print settings.
        formats = lib.genAttrs [ "ini" "iniWithGlobalSection" "json" "keyValue" "toml" "xml" "yaml" ] (
          _: _: {
            type = types.anything;
            lib.types.atom = types.anything;
            generate = name: value: final.writeText name (builtins.toJSON value);
          }
        );
        emptyDirectory = final.runCommand "empty-directory" { } "mkdir $out";
        iproute2 = final.iproute;
        kdePackages.kate = final.hello;
        noto-fonts-cjk-sans = final.noto-fonts-cjk;
        noto-fonts-color-emoji = final.noto-fonts-emoji;
        replaceVars = src: values: final.substituteAll (values // { inherit src; });
        util-linux = final.utillinux;
      }
    )
  ];
}
