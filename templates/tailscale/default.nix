# A node of a tailnet.
{
  authKeyFile ? null,
  loginServer ? null,
  hostname ? null,
  tags ? [ ],
  advertiseRoutes ? [ ],
  exitNode ? false,
  acceptRoutes ? false,
  acceptDns ? true,
  ssh ? false,
  openFirewall ? true,
  trusted ? false,
}:
{ config, lib, ... }:
let
  routes = advertiseRoutes != [ ] || exitNode;
in
{
  services.tailscale = {
    enable = true;
    inherit authKeyFile openFirewall;
    useRoutingFeatures =
      if routes && acceptRoutes then
        "both"
      else if routes then
        "server"
      else if acceptRoutes then
        "client"
      else
        "none";
    extraUpFlags =
      lib.optional (loginServer != null) "--login-server=${loginServer}"
      ++ lib.optional (hostname != null) "--hostname=${hostname}"
      ++ lib.optional (tags != [ ]) "--advertise-tags=${lib.concatStringsSep "," tags}"
      ++ lib.optional (advertiseRoutes != [ ]) "--advertise-routes=${lib.concatStringsSep "," advertiseRoutes}"
      ++ lib.optional exitNode "--advertise-exit-node"
      ++ lib.optional acceptRoutes "--accept-routes"
      ++ lib.optional (!acceptDns) "--accept-dns=false"
      ++ lib.optional ssh "--ssh";
  };

  networking.firewall.trustedInterfaces = lib.optional trusted config.services.tailscale.interfaceName;
}
