# A mesh of WireGuard. The private key is made here and leaves this machine never; what others need of
# it is written beside it.
{
  interface ? "wg0",
  addresses,
  port ? 51820,
  peers ? { },
  privateKeyFile ? "/var/lib/wireguard/${interface}.key",
  mtu ? null,
  openFirewall ? true,
  trusted ? false,
}:
{
  lib,
  options,
  pkgs,
  ...
}:
{
  networking.wireguard =
    # systemd-networkd takes only a key that is there before it, and asks for no name again.
    lib.optionalAttrs (options.networking.wireguard ? useNetworkd) { useNetworkd = false; }
    // {
      interfaces.${interface} = {
        ips = addresses;
        listenPort = port;
        inherit mtu privateKeyFile;
        generatePrivateKeyFile = true;
        peers = lib.mapAttrsToList (
          _:
          {
            publicKey,
            allowedIPs,
            endpoint ? null,
            presharedKeyFile ? null,
            keepalive ? 0,
          }:
          {
            inherit
              publicKey
              allowedIPs
              endpoint
              presharedKeyFile
              ;
            persistentKeepalive = if keepalive == 0 then null else keepalive;
            # A name that is not known yet is asked for again.
            dynamicEndpointRefreshSeconds = 60;
          }
        ) peers;
        postSetup = "${pkgs.wireguard-tools}/bin/wg pubkey < ${lib.escapeShellArg privateKeyFile} > ${
          lib.escapeShellArg (lib.removeSuffix ".key" privateKeyFile + ".pub")
        }";
      };
    };

  networking.firewall = {
    allowedUDPPorts = lib.optional openFirewall port;
    trustedInterfaces = lib.optional trusted interface;
  };
}
