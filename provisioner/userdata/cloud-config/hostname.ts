import type { CloudConfigModule } from "./module.ts";

/**
 * `hostname`, `fqdn`: the first label is the host name, the rest the domain. Without either the
 * meta-data's name is used; `preserve_hostname` leaves the name to the image.
 */
export const hostname: CloudConfigModule = {
  name: "set_hostname",
  keys: [
    "hostname",
    "fqdn",
    "preserve_hostname",
    "prefer_fqdn_over_hostname",
    "create_hostname_file",
  ],
  translate({ config, draft, context }) {
    config
      .get("create_hostname_file")
      ?.unsupported(
        { code: "cloud-config/no-meaning", message: "NixOS always writes /etc/hostname" },
        "note",
      );
    config.get("prefer_fqdn_over_hostname")?.unsupported(
      {
        code: "cloud-config/no-meaning",
        message: "the host name of NixOS is always its first label; the domain is kept beside it",
      },
      "note",
    );
    const preserve = config.get("preserve_hostname")?.boolean() ?? false;
    const hostInput = config.get("hostname");
    const fqdnInput = config.get("fqdn");
    const host = hostInput?.looseText();
    const fqdn = fqdnInput?.looseText();
    if (preserve) return;
    const full = fqdn ?? host ?? context.hostname ?? undefined;
    if (full === undefined || full === "") return;
    const [label = "", ...domain] = full.replace(/\.$/, "").split(".");
    const name = fqdn !== undefined && host !== undefined ? (host.split(".")[0] ?? host) : label;
    draft.spec.hostname = name;
    const origin = hostInput ?? fqdnInput;
    if (origin !== undefined) draft.origin(["hostname"], origin);
    if (domain.length > 0) {
      draft.spec.domain = domain.join(".");
      draft.origin(["domain"], fqdnInput ?? hostInput ?? config);
    }
  },
};
