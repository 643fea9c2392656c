import type { Input } from "../input.ts";
import { isMachineName, splitName } from "../machine-name.ts";
import type { CloudConfigModule, ModuleInput } from "./module.ts";

/** `hostname`, `fqdn` and how they relate; else the name of the meta-data. */
export const hostname: CloudConfigModule = {
  name: "set_hostname",
  keys: [
    "hostname",
    "fqdn",
    "preserve_hostname",
    "prefer_fqdn_over_hostname",
    "create_hostname_file",
  ],
  rule:
    "The first label is the host name of the machine, the rest its domain. Where both keys are " +
    "given, `hostname` names the machine and `fqdn` gives the domain. Without either, the name in the " +
    "meta-data is used. With `preserve_hostname: true` the name stays what the image says.",
  example: "hostname: edge-17\nfqdn: edge-17.plant.example.org\n",
  translate(module) {
    const { config } = module;
    noteIgnored(config);
    const hostInput = config.get("hostname");
    const fqdnInput = config.get("fqdn");
    const host = hostInput?.text();
    const fqdn = fqdnInput?.looseText();
    if (config.get("preserve_hostname")?.boolean() === true) {
      for (const input of [hostInput, fqdnInput]) {
        input?.unsupported(
          {
            code: "cloud-config/overridden",
            message: "`preserve_hostname` leaves the name to the image",
          },
          "note",
        );
      }
      return;
    }
    if (fqdn !== undefined && fqdnInput !== undefined) {
      setDomain(module, splitName(fqdn).domain, fqdnInput);
    }
    if (host !== undefined && hostInput !== undefined) fromHost(module, host, hostInput, fqdn);
    else if (fqdn !== undefined) setHostname(module, splitName(fqdn).hostname, fqdnInput);
    else fromMetaData(module);
  },
};

function fromHost(module: ModuleInput, host: string, input: Input, fqdn: string | undefined): void {
  const name = splitName(host);
  setHostname(module, name.hostname, input);
  if (fqdn === undefined) return setDomain(module, name.domain, input);
  if (name.domain === undefined || host === fqdn) return;
  input.add("warning", {
    code: "cloud-config/overridden",
    message: "only the first label is used; the domain is that of `fqdn`",
    hint: "write the name without a domain",
  });
}

function fromMetaData(module: ModuleInput): void {
  const { config, context } = module;
  if (context.hostname === null || context.hostname === "") return;
  const name = splitName(context.hostname);
  if (isMachineName(name)) {
    setHostname(module, name.hostname, undefined);
    return setDomain(module, name.domain, undefined);
  }
  config.add("warning", {
    code: "user-data/meta-data-hostname",
    message: "the name in the meta-data cannot be a host name, and is not used",
    hint: "set `hostname`",
  });
}

function setHostname({ draft }: ModuleInput, name: string, input: Input | undefined): void {
  draft.spec.hostname = name;
  if (input !== undefined) draft.origin(["hostname"], input);
}

function setDomain(
  { draft }: ModuleInput,
  domain: string | undefined,
  input: Input | undefined,
): void {
  if (domain === undefined) return;
  draft.spec.domain = domain;
  if (input !== undefined) draft.origin(["domain"], input);
}

function noteIgnored(config: Input): void {
  const ignored = {
    create_hostname_file: "NixOS always writes /etc/hostname",
    prefer_fqdn_over_hostname:
      "the host name of NixOS is always its first label; the domain is kept beside it",
  };
  for (const [key, message] of Object.entries(ignored)) {
    const input = config.get(key);
    if (input?.boolean() === undefined) continue;
    input.unsupported({ code: "cloud-config/no-meaning", message }, "note");
  }
}
