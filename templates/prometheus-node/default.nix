# The node exporter of Prometheus, closed to everybody but the networks that are named.
{
  port ? 9100,
  address ? null,
  collectors ? [ "systemd" ],
  withoutCollectors ? [ ],
  textfileDirectory ? null,
  from ? [ ],
}:
{ config, lib, ... }:
let
  is6 = network: lib.hasInfix ":" network;
  accept =
    network:
    "${if is6 network then "ip6tables" else "iptables"} -A nixos-fw -p tcp -s ${network} --dport ${toString port} -j nixos-fw-accept";
  acceptNft =
    network: "${if is6 network then "ip6" else "ip"} saddr ${network} tcp dport ${toString port} accept";
in
{
  services.prometheus.exporters.node = {
    enable = true;
    inherit port;
    enabledCollectors = collectors ++ lib.optional (textfileDirectory != null) "textfile";
    disabledCollectors = withoutCollectors;
    extraFlags = lib.optional (
      textfileDirectory != null
    ) "--collector.textfile.directory=${textfileDirectory}";
  }
  // lib.optionalAttrs (address != null) { listenAddress = address; };

  networking.firewall =
    if config.networking.nftables.enable then
      { extraInputRules = lib.concatMapStrings (network: acceptNft network + "\n") from; }
    else
      { extraCommands = lib.concatMapStrings (network: accept network + "\n") from; };
}
