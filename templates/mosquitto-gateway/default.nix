# A broker at the edge with a bridge to another one. Messages survive a power cut: persistence is
# written often, and queues are far larger than mosquitto's own.
{
  users ? { },
  address ? null,
  port ? 1883,
  tls ? null,
  bridge ? null,
  queuedMessages ? 100000,
  openFirewall ? true,
}:
{ lib, ... }:
{
  services.mosquitto = {
    enable = true;
    persistence = true;
    settings = {
      autosave_interval = 1;
      autosave_on_changes = true;
      max_queued_messages = queuedMessages;
      persistent_client_expiration = "30d";
    };
    listeners = [
      {
        inherit address port;
        users = lib.mapAttrs (
          _:
          {
            passwordFile ? null,
            hashedPassword ? null,
            acl ? [ ],
          }:
          {
            inherit passwordFile hashedPassword acl;
          }
        ) users;
        settings = lib.optionalAttrs (tls != null) (
          {
            certfile = tls.certificate;
            keyfile = tls.key;
          }
          // lib.optionalAttrs (tls ? clientAuthority) {
            cafile = tls.clientAuthority;
            require_certificate = true;
          }
        );
      }
    ];
    bridges = lib.optionalAttrs (bridge != null) {
      uplink = {
        addresses = [
          {
            inherit (bridge) address;
            port = bridge.port or 8883;
          }
        ];
        inherit (bridge) topics;
        settings = {
          cleansession = false;
          restart_timeout = "5 60";
          try_private = true;
          bridge_insecure = false;
        }
        // (
          if bridge ? authority then
            { bridge_cafile = bridge.authority; }
          else
            { bridge_capath = "/etc/ssl/certs"; }
        )
        // lib.optionalAttrs (bridge ? clientId) { remote_clientid = bridge.clientId; }
        // lib.optionalAttrs (bridge ? username) { remote_username = bridge.username; };
      };
    };
    includeDirs = lib.optional (bridge != null && bridge ? configFile) (dirOf bridge.configFile);
  };

  networking.firewall.allowedTCPPorts = lib.optional openFirewall port;
}
