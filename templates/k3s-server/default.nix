# A server of a k3s cluster. The token lies in a file, never in the store.
{
  clusterInit ? false,
  serverAddr ? null,
  tokenFile ? null,
  nodeIp ? null,
  labels ? { },
  taints ? [ ],
  flannelInterface ? null,
  extraFlags ? [ ],
  tlsSans ? [ ],
  disable ? [ ],
  workloads ? true,
  openFirewall ? true,
}:
{ lib, ... }:
let
  flags =
    lib.optional (nodeIp != null) "--node-ip=${nodeIp}"
    ++ lib.optional (flannelInterface != null) "--flannel-iface=${flannelInterface}"
    ++ lib.mapAttrsToList (name: value: "--node-label=${name}=${value}") labels
    ++ map (taint: "--node-taint=${taint}") taints
    ++ map (name: "--tls-san=${name}") tlsSans
    ++ map (part: "--disable=${part}") disable
    ++ lib.optional (!workloads) "--node-taint=node-role.kubernetes.io/control-plane:NoSchedule"
    ++ extraFlags;
in
{
  services.k3s = {
    enable = true;
    role = "server";
    inherit clusterInit tokenFile;
    extraFlags = lib.concatStringsSep " " (map lib.escapeShellArg flags);
  }
  // lib.optionalAttrs (serverAddr != null) { inherit serverAddr; };

  networking.firewall = lib.mkIf openFirewall {
    # The API, the kubelet, etcd between servers.
    allowedTCPPorts = [
      6443
      10250
    ]
    ++ lib.optionals (clusterInit || serverAddr != null) [
      2379
      2380
    ];
    # VXLAN of flannel.
    allowedUDPPorts = [ 8472 ];
  };
}
