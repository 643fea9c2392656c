# systemd.network: the files that networkd reads.
{ config, lib, ... }:
let
  inherit (lib) concatMapStrings concatStrings filterAttrs mapAttrsToList mkOption types;
  inherit (types) anything attrsOf bool listOf submodule;
  option = type: default: mkOption { inherit type default; };
  cfg = config.systemd.network;

  # Options whose section is not their name without "Config" and with a capital.
  special = {
    dhcpV4Config = "DHCPv4"; dhcpV6Config = "DHCPv6"; dhcpPrefixDelegationConfig = "DHCPPrefixDelegation"; ipv6AcceptRAConfig = "IPv6AcceptRA"; ipv6SendRAConfig = "IPv6SendRA";
    dhcpServerConfig = "DHCPServer"; vlanConfig = "VLAN"; vxlanConfig = "VXLAN"; vrfConfig = "VRF"; ipoIBConfig = "IPoIB"; netdevConfig = "NetDev"; wireguardConfig = "WireGuard"; macvlanConfig = "MACVLAN"; canConfig = "CAN";
    addresses = "Address"; routes = "Route"; routingPolicyRules = "RoutingPolicyRule"; wireguardPeers = "WireGuardPeer"; bridgeVLANs = "BridgeVLAN"; dhcpServerStaticLeases = "DHCPServerStaticLease";
  };
  # Lists that stand in [Network].
  inNetwork = { address = "Address"; gateway = "Gateway"; dns = "DNS"; ntp = "NTP"; domains = "Domains"; vlan = "VLAN"; bond = "Bond"; bridge = "Bridge"; macvlan = "MACVLAN"; vrf = "VRF"; };
  sectionName = name: special.${name} or (lib.toSentenceCase (lib.removeSuffix "Config" name));

  sources = wanted: map (file: file.source) (lib.attrValues
    (lib.filterAttrs (name: _: lib.hasPrefix "systemd/network/" name && wanted name) config.environment.etc));

  show = v: if lib.isBool v then (if v then "true" else "false") else toString v;
  lines = set: concatStrings (mapAttrsToList (key: v: if lib.isList v then concatMapStrings (x: "${key}=${show x}\n") v else lib.optionalString (v != null) "${key}=${show v}\n") set);
  section = name: set: lib.optionalString (set != { }) "[${name}]\n${lines set}\n";
  file = given:
    let
      body = removeAttrs given ([ "enable" "extraConfig" "networkConfig" "name" "DHCP" "matchConfig" ] ++ lib.attrNames inNetwork);
      network = given.networkConfig or { } // lib.optionalAttrs (given ? DHCP) { inherit (given) DHCP; }
        // lib.mapAttrs' (name: v: lib.nameValuePair inNetwork.${name} v) (builtins.intersectAttrs inNetwork given);
    in
    section "Match" (given.matchConfig or { } // lib.optionalAttrs (given ? name) { Name = given.name; })
    + section "Network" network
    + concatStrings (mapAttrsToList (name: v: if lib.isList v then concatMapStrings (section (sectionName name)) v else section (sectionName name) v) body)
    + given.extraConfig or "";
  files = suffix: set: lib.mapAttrs' (name: given: lib.nameValuePair "systemd/network/${name}.${suffix}" { text = file given; }) (filterAttrs (_: given: given.enable) set);
  entries = option (attrsOf (submodule { freeformType = types.json "networkd"; options.enable = option bool true; options.extraConfig = option types.lines ""; })) { };
in
{
  options.systemd.network = {
    enable = option bool config.networking.useNetworkd;
    networks = entries;
    netdevs = entries;
    links = entries;
    config = option anything { };
    wait-online = { enable = option bool true; anyInterface = option bool false; timeout = option types.int 120; extraArgs = option (listOf types.str) [ ]; ignoredInterfaces = option (listOf types.str) [ ]; };
  };
  # The daemons are the distribution's. Networks of other content are read again, all else is a reason
  # to restart: a daemon that starts keeps the addresses that it finds on a link.
  config.systemd.services = lib.mkIf cfg.enable {
    systemd-networkd = {
      overrideStrategy = "asDropin";
      wantedBy = [ "multi-user.target" ];
      stopIfChanged = false;
      reloadTriggers = sources (name: lib.hasSuffix ".network" name);
      restartTriggers = sources (name: !lib.hasSuffix ".network" name);
    };
    systemd-networkd-wait-online = {
      enable = cfg.wait-online.enable;
      overrideStrategy = "asDropin";
      wantedBy = [ "network-online.target" ];
      serviceConfig.ExecStart = [ "" "/lib/systemd/systemd-networkd-wait-online --timeout=${toString cfg.wait-online.timeout}${lib.optionalString cfg.wait-online.anyInterface " --any"}" ];
    };
  };
  config.environment.etc = lib.mkMerge [
    (files "link" cfg.links)
    (lib.mkIf cfg.enable (files "network" cfg.networks // files "netdev" cfg.netdevs))
  ];
}
