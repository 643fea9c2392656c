# The options whose type or default matters to what is built or read; every other name is free here
# (whether it exists in NixOS is checked against the list of its options, not here).
{ lib, pkgs, config, ... }:
let
  inherit (lib) mkOption types;
  inherit (types) anything attrsOf bool either enum int lines listOf nullOr package path port raw str submodule;
  option = type: default: mkOption { inherit type default; };
  list = type: option (listOf type) [ ];
  free = submodule { freeformType = types.json "configuration"; };
in
{
  options = {
    assertions = list anything;
    warnings = list str;
    meta = option anything { };
    lib = option (attrsOf types.attrs) { };

    boot = {
      blacklistedKernelModules = list str;
      extraModprobeConfig = option lines "";
      extraModulePackages = list package;
      growPartition = option bool false;
      initrd = {
        availableKernelModules = list str;
        extraFiles = option (attrsOf free) { };
        kernelModules = list str;
        secrets = option (attrsOf (nullOr (either str path))) { };
        systemd.contents = option (attrsOf free) { };
        luks.devices = option (attrsOf free) { };
        supportedFilesystems = option (types.coercedTo (listOf str) (names: lib.genAttrs names (_: true)) (attrsOf bool)) { };
        systemd.enable = option bool false;
      };
      isContainer = option bool false;
      kernel.sysctl = option (attrsOf (nullOr (types.oneOf [ bool str int ]))) { };
      kernelModules = list str;
      kernelPackages = option raw pkgs.linuxPackages;
      kernelParams = list str;
      loader = {
        efi = { canTouchEfiVariables = option bool false; efiSysMountPoint = option str "/boot"; };
        generic-extlinux-compatible.enable = option bool false;
        grub = { enable = option bool (!config.boot.isContainer && !config.boot.loader.systemd-boot.enable); device = option str ""; devices = list str; efiSupport = option bool false; };
        systemd-boot = { enable = option bool false; configurationLimit = option (nullOr int) null; };
        timeout = option (nullOr int) 5;
      };
      supportedFilesystems = option (types.coercedTo (listOf str) (names: lib.genAttrs names (_: true)) (attrsOf bool)) { };
    };
    console = { enable = option bool true; font = option (nullOr (either str path)) null; keyMap = option (either str path) "us"; useXkbConfig = option bool false; };
    documentation.enable = option bool true;
    environment = {
      defaultPackages = list package;
      extraInit = option lines "";
      interactiveShellInit = option lines "";
      loginShellInit = option lines "";
      pathsToLink = list str;
      sessionVariables = option (attrsOf anything) { };
      shellAliases = option (attrsOf (nullOr (either str path))) { };
      shellInit = option lines "";
      shells = list (either types.shellPackage path);
      systemPackages = list package;
      variables = option (attrsOf anything) { };
    };
    fileSystems = option (attrsOf (submodule ({ name, config, ... }: {
      freeformType = types.json "configuration";
      # As NixOS does it: what is needed for the boot is mounted in the initial RAM disk, and a label names the device.
      config = {
        options = lib.mkIf (config.neededForBoot || lib.elem name [ "/" "/nix" "/var" "/usr" ]) [ "x-initrd.mount" ];
        device = lib.mkIf (config ? label) (lib.mkDefault "/dev/disk/by-label/${config.label}");
      };
      options = {
        mountPoint = option str name;
        device = option (nullOr str) null;
        fsType = option str "auto";
        options = option (listOf str) [ "defaults" ];
        neededForBoot = option bool false;
      };
    }))) { };
    hardware = {
      enableRedistributableFirmware = option bool false;
      enableAllFirmware = option bool false;
      firmware = list package;
      wirelessRegulatoryDatabase = option bool false;
    };
    i18n = { defaultLocale = option str "en_US.UTF-8"; extraLocaleSettings = option (attrsOf str) { }; extraLocales = option (either (listOf str) (enum [ "all" ])) [ ]; supportedLocales = list str; };
    networking = {
      domain = option (nullOr str) null;
      extraHosts = option lines "";
      firewall = {
        enable = option bool true;
        allowPing = option bool true;
        allowedTCPPorts = list port;
        allowedUDPPorts = list port;
        allowedTCPPortRanges = list (attrsOf port);
        allowedUDPPortRanges = list (attrsOf port);
        extraCommands = option lines "";
        interfaces = option (attrsOf free) { };
        trustedInterfaces = list str;
      };
      fqdn = option str "${config.networking.hostName}${lib.optionalString (config.networking.domain != null) ".${config.networking.domain}"}";
      hostId = option (nullOr str) null;
      hostName = option (types.strMatching "^$|^[[:alnum:]]([[:alnum:]_-]{0,61}[[:alnum:]])?$") "nixos";
      hosts = option (attrsOf (listOf str)) { };
      interfaces = option (attrsOf free) { };
      nameservers = list str;
      search = list str;
      timeServers = option (listOf str) [ "0.nixos.pool.ntp.org" "1.nixos.pool.ntp.org" "2.nixos.pool.ntp.org" "3.nixos.pool.ntp.org" ];
      useDHCP = option bool true;
      useHostResolvConf = option bool false;
      useNetworkd = option bool false;
      usePredictableInterfaceNames = option bool true;
      wireless.enable = option bool false;
      wireless.interfaces = list str;
      wireless.networks = option (attrsOf free) { };
      wireless.secretsFile = option (nullOr str) null;
    };
    nix = {
      enable = option bool true;
      channel.enable = option bool true;
      extraOptions = option lines "";
      nixPath = option (listOf str) [ "nixpkgs=/nix/var/nix/profiles/per-user/root/channels/nixos" "nixos-config=/etc/nixos/configuration.nix" "/nix/var/nix/profiles/per-user/root/channels" ];
      package = option package pkgs.nix;
      registry = option (attrsOf anything) { };
      settings = option free { };
    };
    nixpkgs = {
      config = option free { };
      flake.source = option (nullOr (either str path)) null;
      hostPlatform = option (types.coercedTo str (system: { inherit system; }) types.attrs) { };
      overlays = option (listOf (types.uniq (types.functionTo (types.functionTo anything)))) [ ];
    };
    powerManagement.enable = option bool true;
    programs = lib.genAttrs [ "bash" "fish" "zsh" "xonsh" ] (_: { enable = option bool false; });
    security = {
      pki = { certificates = list str; certificateFiles = list path; };
      sudo = {
        enable = option bool true;
        execWheelOnly = option bool false;
        extraConfig = option lines "";
        extraRules = list free;
        wheelNeedsPassword = option bool true;
      };
    };
    services = {
      power-profiles-daemon.enable = option bool false;
      tlp.enable = option bool false;
      chrony = { enable = option bool false; servers = option (listOf str) config.networking.timeServers; extraConfig = option lines ""; };
      openssh = {
        enable = option bool false;
        authorizedKeysFiles = list str;
        authorizedKeysInHomedir = option bool true;
        banner = option (nullOr lines) null;
        extraConfig = option lines "";
        hostKeys = list free;
        openFirewall = option bool true;
        ports = option (listOf port) [ 22 ];
        settings = option (submodule {
          freeformType = attrsOf (nullOr (types.oneOf [ bool int str (listOf str) ]));
          options = {
            PasswordAuthentication = option bool true;
            PermitRootLogin = option (enum [ "yes" "without-password" "prohibit-password" "forced-commands-only" "no" ]) "prohibit-password";
            KbdInteractiveAuthentication = option bool true;
            UsePAM = option bool true;
            X11Forwarding = option bool false;
          };
        }) { };
      };
      resolved = { enable = option bool false; };
      timesyncd = { enable = option bool (!config.boot.isContainer && !config.services.chrony.enable); servers = option (nullOr (listOf str)) null; fallbackServers = option (nullOr (listOf str)) config.networking.timeServers; };
      udev = { extraRules = option lines ""; extraHwdb = option lines ""; packages = list path; };
    };
    swapDevices = list free;
    system = {
      autoUpgrade.enable = option bool false;
      build = option (types.lazyAttrsOf raw) { };
      checks = list package;
      configurationRevision = option (nullOr str) null;
      extraDependencies = list types.pathInStore;
      extraSystemBuilderCmds = option lines "";
      name = option str config.networking.hostName;
      nixos = {
        codeName = option str lib.trivial.codeName;
        label = option (types.strMatching "[a-zA-Z0-9:_\\.-]*") (lib.concatStringsSep "-" (builtins.sort builtins.lessThan config.system.nixos.tags ++ [ config.system.nixos.version ]));
        release = option str lib.trivial.release;
        tags = list str;
        version = option str lib.version;
      };
      preSwitchChecks = option (attrsOf str) { };
      switch.inhibitors = option (attrsOf str) { };
      stateVersion = option str lib.trivial.release;
    };
    time = { timeZone = option (nullOr str) null; hardwareClockInLocalTime = option bool false; };
    virtualisation = {
      docker = { enable = option bool false; enableOnBoot = option bool true; daemon.settings = option free { }; extraOptions = option types.commas ""; };
      podman.enable = option bool false;
    };

    # What a test may ask of the stand-in itself.
    standIn = {
      activationExitCode = mkOption { type = nullOr int; default = null; description = "Exit code of switch and test, after they did their work."; };
      check = mkOption { type = bool; default = true; description = "Whether its switch-to-configuration knows the action `check`; that of an old NixOS does not."; };
      failingBuild = mkOption { type = bool; default = false; description = "The system cannot be built."; };
      failingUnits = mkOption { type = listOf str; default = [ ]; description = "Units that fail whenever they are started."; };
      kernelBuild = mkOption { type = str; default = "1"; description = "Another one is another kernel and initrd, which need a reboot."; };
      kernelImage = mkOption { type = nullOr path; default = null; description = "A kernel that boots; none of the stand-in's own does."; };
      initInterfaceVersion = mkOption { type = str; default = "1"; description = "A system with another one needs a reboot (exit code 100)."; };
    };
  };

  config = {
    # As NixOS compares them: those that both systems name, where a switch is to begin.
    system.preSwitchChecks = lib.mkIf (config.system.switch.inhibitors != { }) {
      switchInhibitors = ''
        case $2 in boot | dry-activate) exit 0 ;; esac
        inhibitors() { sed 's/^{//; s/}$//; s/","/"\n"/g' "$1/switch-inhibitors" 2>/dev/null; echo; }
        changed=$(inhibitors "$ROOT/run/current-system" | while IFS= read -r old; do
          inhibitors "$1" | while IFS= read -r new; do
            if [ "''${old%%\":*}" = "''${new%%\":*}" ] && [ "$old" != "$new" ]; then echo "$old -> $new"; fi
          done
        done)
        if [ -n "$changed" ]; then
          printf 'There are changes to critical components of the system:\n\n%s\n\n' "$changed"
          exit 1
        fi
      '';
    };
    environment.systemPackages = [ pkgs.coreutils pkgs.bashInteractive config.nix.package ];
    networking.firewall.allowedTCPPorts = lib.mkIf (config.services.openssh.enable && config.services.openssh.openFirewall) config.services.openssh.ports;
    networking.hosts = { "127.0.0.1" = [ "localhost" ]; "::1" = [ "localhost" ]; };
  };
}
