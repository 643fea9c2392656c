import type { Json } from "#core/canonical-json.ts";
import { wordHint } from "#core/word-hint.ts";
import type { Input } from "../input.ts";
import { nameRefused } from "./refused.ts";

type Mapping = { readonly [key: string]: Json };

interface Init {
  readonly config: Mapping;
  readonly pools: readonly Json[];
  readonly devices: Mapping;
}

const backends = ["dir", "zfs", "lvm", "btrfs"];
const usualBridge = "incusbr0";

/** `lxd.init` as the parts of a preseed; without it a pool that is a directory, as `--auto` makes it. */
export function readInit(input: Input | undefined): Init {
  if (input?.isMapping() === false) input.expected("a mapping");
  if (input?.isMapping() === true && input.entries().length === 0) input.mark("translated");
  const address = input?.get("network_address")?.text();
  const port = input?.get("network_port")?.integer();
  const trust = input?.get("trust_password");
  if (trust?.looseText() !== undefined) {
    nameRefused(
      trust,
      "Incus has no such password; trust a client by a token of `incus config trust add`",
    );
  }
  const driver = readBackend(input?.get("storage_backend"));
  const device = input?.get("storage_create_device")?.text();
  const gibibytes = input?.get("storage_create_loop")?.integer();
  const pool = input?.get("storage_pool")?.text() ?? "default";
  const config = {
    ...(device === undefined ? {} : { source: device }),
    ...(gibibytes === undefined ? {} : { size: `${gibibytes}GiB` }),
  };
  return {
    config:
      address === undefined
        ? {}
        : {
            "core.https_address": `${address.includes(":") ? `[${address}]` : address}:${port ?? 8443}`,
          },
    pools: [{ name: pool, driver, ...(Object.keys(config).length === 0 ? {} : { config }) }],
    devices: { root: { type: "disk", path: "/", pool } },
  };
}

function readBackend(input: Input | undefined): string {
  const name = input?.text() ?? "dir";
  if (backends.includes(name)) return name;
  input?.unsupported({
    code: "cloud-config/unknown-value",
    message: "unknown backend",
    hint: wordHint(name, backends),
  });
  return "dir";
}

interface Bridge {
  readonly networks: readonly Json[];
  readonly devices: Mapping;
}

/** `lxd.bridge`; without it one that Incus gives its addresses, as `--auto` makes it. */
export function readBridge(input: Input | undefined): Bridge {
  if (input === undefined) return bridgeOf(usualBridge, { "ipv4.address": "auto" });
  if (!input.isMapping()) {
    input.expected("a mapping with `mode`");
    return { networks: [], devices: {} };
  }
  const mode = readMode(input.get("mode"));
  const name = input.get("name")?.text() ?? usualBridge;
  const config = readConfig(input);
  if (mode === "new") return bridgeOf(name, config);
  const nic = { eth0: { type: "nic", nictype: "bridged", parent: name, name: "eth0" } };
  return { networks: [], devices: mode === "existing" ? nic : {} };
}

function bridgeOf(name: string, config: Mapping): Bridge {
  return {
    networks: [{ name, type: "bridge", config }],
    devices: { eth0: { type: "nic", network: name, name: "eth0" } },
  };
}

function readMode(input: Input | undefined): "new" | "existing" | "none" {
  const mode = input?.text() ?? "new";
  if (mode === "new" || mode === "existing" || mode === "none") return mode;
  input?.unsupported({
    code: "cloud-config/unknown-value",
    message: "unknown mode",
    hint: wordHint(mode, ["none", "existing", "new"]),
  });
  return "none";
}

/** Keys of a network of Incus. */
function readConfig(input: Input): Mapping {
  const config: { [key: string]: Json } = {};
  const mtu = input.get("mtu");
  if (mtu?.value === -1) mtu.mark("translated");
  else if (mtu !== undefined) put("bridge.mtu", mtu.integer());
  put("dns.domain", input.get("domain")?.text());
  for (const family of ["ipv4", "ipv6"] as const) {
    const address = input.get(`${family}_address`)?.text();
    const bits = input.get(`${family}_netmask`)?.integer();
    const usual = family === "ipv4" ? 24 : 64;
    put(`${family}.address`, address === undefined ? "none" : `${address}/${bits ?? usual}`);
    const nat = input.get(`${family}_nat`)?.boolean();
    if (address !== undefined) put(`${family}.nat`, nat);
  }
  const first = input.get("ipv4_dhcp_first")?.text();
  const last = input.get("ipv4_dhcp_last")?.text();
  if (first !== undefined && last !== undefined) put("ipv4.dhcp.ranges", `${first}-${last}`);
  const leases = input.get("ipv4_dhcp_leases");
  if (leases?.integer() !== undefined) {
    leases.unsupported(
      {
        code: "cloud-config/no-meaning",
        message: "the number of leases follows from the range of addresses",
      },
      "note",
    );
  }
  return config;

  /** Values of a preseed are texts. */
  function put(key: string, value: string | number | boolean | undefined): void {
    if (value !== undefined) config[key] = String(value);
  }
}
