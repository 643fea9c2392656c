# A node of a k3s cluster. The token lies in a file, never in the store.
{
  serverAddr,
  tokenFile,
  nodeIp ? null,
  labels ? { },
  taints ? [ ],
  flannelInterface ? null,
  extraFlags ? [ ],
  openFirewall ? true,
}:
{ lib, ... }:
let
  flags =
    lib.optional (nodeIp != null) "--node-ip=${nodeIp}"
    ++ lib.optional (flannelInterface != null) "--flannel-iface=${flannelInterface}"
    ++ lib.mapAttrsToList (name: value: "--node-label=${name}=${value}") labels
    ++ map (taint: "--node-taint=${taint}") taints
    ++ extraFlags;
in
{
  services.k3s = {
    enable = true;
    role = "agent";
    inherit serverAddr tokenFile;
    extraFlags = lib.concatStringsSep " " (map lib.escapeShellArg flags);
  };

  networking.firewall = lib.mkIf openFirewall {
    # The kubelet.
    allowedTCPPorts = [ 10250 ];
    # VXLAN of flannel.
    allowedUDPPorts = [ 8472 ];
  };
}
