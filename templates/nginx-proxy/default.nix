# nginx as a reverse proxy: one virtual host for each site.
{
  sites,
  acmeEmail ? null,
  acmeServer ? null,
  acceptTerms ? false,
  openFirewall ? true,
}:
{ lib, ... }:
let
  host =
    {
      target,
      aliases ? [ ],
      websockets ? true,
      maxBodySize ? null,
      tls ? "acme",
      certificate ? null,
      certificateKey ? null,
      basicAuthFile ? null,
      allow ? [ ],
    }:
    {
      serverAliases = aliases;
      enableACME = tls == "acme";
      forceSSL = tls != "none";
      inherit basicAuthFile;
      extraConfig =
        lib.optionalString (maxBodySize != null) "client_max_body_size ${maxBodySize};\n"
        + lib.concatMapStrings (network: "allow ${network};\n") allow
        + lib.optionalString (allow != [ ]) "deny all;\n";
      locations."/" = {
        proxyPass = target;
        proxyWebsockets = websockets;
      };
    }
    // lib.optionalAttrs (tls == "files") {
      sslCertificate = certificate;
      sslCertificateKey = certificateKey;
    };
  asks = lib.any (site: (site.tls or "acme") == "acme") (lib.attrValues sites);
in
{
  assertions = [
    {
      assertion = asks -> acmeEmail != null && acceptTerms;
      message = "nginx-proxy: a site asks for a certificate; give acmeEmail, and acceptTerms: true";
    }
  ]
  ++ lib.mapAttrsToList (name: site: {
    assertion = (site.tls or "acme") == "files" -> site ? certificate && site ? certificateKey;
    message = "nginx-proxy: ${name} has tls: files; give certificate and certificateKey";
  }) sites;

  services.nginx = {
    enable = true;
    recommendedGzipSettings = true;
    recommendedOptimisation = true;
    recommendedProxySettings = true;
    recommendedTlsSettings = true;
    virtualHosts = lib.mapAttrs (_: host) sites;
  };

  security.acme = lib.mkIf asks {
    acceptTerms = acceptTerms;
    defaults = {
      email = acmeEmail;
    }
    // lib.optionalAttrs (acmeServer != null) { server = acmeServer; };
  };

  networking.firewall.allowedTCPPorts = lib.optionals openFirewall [
    80
    443
  ];
}
