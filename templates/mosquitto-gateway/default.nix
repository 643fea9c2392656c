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
let
  hasPassword = bridge != null && bridge ? passwordFile;
  uplink = {
    cleansession = false;
    restart_timeout = "5 60";
    try_private = true;
    bridge_insecure = false;
    # A directory would have to hold hashed names.
    bridge_cafile = bridge.authority or "/etc/ssl/certs/ca-certificates.crt";
  }
  // lib.optionalAttrs (bridge ? clientId) { remote_clientid = bridge.clientId; }
  // lib.optionalAttrs (bridge ? username) { remote_username = bridge.username; };
  host = bridge.address;
  hostPort = bridge.port or 8883;
  value = v: if lib.isBool v then lib.boolToString v else toString v;
  # A file that is included knows nothing of a bridge that the one before it began.
  connection = [
    "connection uplink"
    "addresses ${host}:${toString hostPort}"
  ]
  ++ map (topic: "topic ${topic}") bridge.topics
  ++ lib.mapAttrsToList (key: v: "${key} ${value v}") uplink;
in
{
  assertions = [
    {
      assertion = hasPassword -> bridge ? username;
      message = "mosquitto-gateway: bridge has a passwordFile and no username; give both";
    }
  ];

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
    bridges = lib.optionalAttrs (bridge != null && !hasPassword) {
      uplink = {
        addresses = [
          {
            address = host;
            port = hostPort;
          }
        ];
        inherit (bridge) topics;
        settings = uplink;
      };
    };
    includeDirs = lib.optional hasPassword "/run/mosquitto-bridge";
  };

  # Of a bridge with a password all is written at start, because the store is for everybody to read.
  # Without one that mosquitto takes, this unit fails and the bridge is off: machines of the site are
  # served all the same, and the next start of mosquitto tries again. Root reads the file, so that the
  # directory, without which mosquitto does not start, is there whatever becomes of the password.
  systemd.services = lib.optionalAttrs hasPassword {
    mosquitto-bridge = {
      description = "The bridge of mosquitto, with its password";
      before = [ "mosquitto.service" ];
      wantedBy = [ "mosquitto.service" ];
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        # A password on a mount that hangs turns the bridge off as well.
        TimeoutStartSec = "1min";
        Group = "mosquitto";
        RuntimeDirectory = "mosquitto-bridge";
        RuntimeDirectoryMode = "0750";
        RuntimeDirectoryPreserve = true;
        UMask = "0027";
      };
      script = ''
        bridge=$RUNTIME_DIRECTORY/uplink.conf
        rm -f "$bridge"
        file=${lib.escapeShellArg bridge.passwordFile}
        password=$(head -n 1 "$file")
        password=''${password%$'\r'}
        if ! printf '%s\n' "$password" | LC_ALL=C.UTF-8 grep -axq '[[:print:]]\+'; then
          echo "the bridge is off: the first line of $file is no text that mosquitto takes as a password" >&2
          exit 1
        fi
        {
          printf '%s\n' ${lib.escapeShellArgs connection}
          printf 'remote_password %s\n' "$password"
        } > "$bridge.new"
        mv "$bridge.new" "$bridge"
      '';
    };
    # It reads the bridge once, when it starts.
    mosquitto.restartTriggers = [
      (builtins.hashString "sha256" (builtins.toJSON [ connection bridge.passwordFile ]))
    ];
  };

  networking.firewall.allowedTCPPorts = lib.optional openFirewall port;
}
