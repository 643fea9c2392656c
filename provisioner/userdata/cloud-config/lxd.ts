import type { Json } from "#core/canonical-json.ts";
import type { Finding } from "#core/finding.ts";
import type { SecretRef } from "#core/secret.ts";
import type { Unit } from "#generated/provisioner/spec/v1.ts";
import type { SpecDraft } from "../draft.ts";
import type { Input } from "../input.ts";
import { readYaml } from "../yaml.ts";
import { hasZfsPool, incusPorts } from "./lxd-listen.ts";
import { readBridge, readInit } from "./lxd-preseed.ts";
import type { CloudConfigModule } from "./module.ts";
import { nameNeedless } from "./refused.ts";
import { openPort, setOption } from "./spec-option.ts";

/** `lxd`: containers, by Incus. */
export const lxd: CloudConfigModule = {
  name: "lxd",
  keys: ["lxd"],
  rule:
    "NixOS has Incus, which LXD became: virtualisation.incus is switched on with a preseed, and with it nftables, which it needs. `init` and " +
    "`bridge` become a pool, a network and the profile `default`; a `preseed` is taken as it stands, and the other two are then not used. " +
    "It may hold keys and passwords, so that it is a secret: a unit of its own is handed it, after each start of Incus, as NixOS's own does. Without `storage_backend` the pool is " +
    "a directory. `trust_password` is refused: Incus trusts by tokens (`incus config trust add`). A pool of ZFS needs boot.supportedFilesystems and networking.hostId under `firstlight: options`. " +
    "The firewall lets in what comes to `network_address`, and on a bridge that Incus makes the containers' questions for names and leases.",
  example: `lxd:
  init:
    storage_backend: btrfs
    storage_create_loop: 10
  bridge:
    mode: new
    ipv4_address: 192.0.2.1
    ipv4_netmask: 24
    ipv4_nat: true
`,
  translate({ config, draft }) {
    const input = config.get("lxd");
    if (input === undefined) return;
    if (!input.isMapping()) return input.expected("a mapping with `init` or `preseed`");
    if (input.entries().length === 0) return nameNeedless(input, "it says nothing");
    const preseed = input.get("preseed");
    setOption(draft, "virtualisation.incus.enable", true, input);
    setOption(draft, "networking.nftables.enable", true, input);
    const data =
      preseed === undefined ? setPreseed(input, draft) : takePreseed(input, preseed, draft);
    if (data === undefined) return;
    for (const port of incusPorts(data)) openPort(draft, port, preseed ?? input);
    if (hasZfsPool(data)) nameZfs(preseed ?? input.get("init")?.get("storage_backend"), config);
  },
};

/** ZFS is in no kernel of NixOS by itself, and its pools belong to a machine by `hostId`. */
function nameZfs(input: Input | undefined, config: Input): void {
  if (config.get("firstlight")?.get("options")?.has("networking.hostId")) return;
  input?.add("warning", {
    code: "cloud-config/zfs",
    message: "NixOS has ZFS only where it is asked for, and a pool needs an id of the machine",
    hint: "under `firstlight: options` set boot.supportedFilesystems to [zfs] and networking.hostId to 8 digits of hex",
  });
}

const unit = "firstlight-incus-preseed.service";

function setPreseed(input: Input, draft: SpecDraft): Json {
  const data = makePreseed(input);
  setOption(draft, "virtualisation.incus.preseed", data, input);
  return data;
}

/** The text is YAML, and goes before the rest of the section. */
function takePreseed(input: Input, preseed: Input, draft: SpecDraft): Json | undefined {
  for (const key of ["init", "bridge"]) {
    input.get(key)?.unsupported({
      code: "cloud-config/overridden",
      message: "`preseed` counts instead",
      hint: "say it there",
    });
  }
  const text = preseed.text();
  if (text === undefined) return undefined;
  const { value, findings } = readYaml(text, { document: "preseed" });
  const error = findings.find(({ level }) => level === "error");
  if (error !== undefined) return void nameBroken(preseed, text, error);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const hint = "as `incus admin init --dump` prints it";
    return void preseed.expected("the YAML of a preseed", hint, "something else");
  }
  const secret = draft.secret("incus-preseed", text);
  draft.spec.units ??= {};
  draft.spec.units[unit] = preseedUnit(secret);
  draft.origin(["units", unit], preseed);
  return value;
}

/** Says what of a preseed is no YAML, where it stands. */
function nameBroken(preseed: Input, text: string, { line, message, hint }: Finding): void {
  const before = text.split("\n").slice(0, (line ?? 1) - 1);
  const start = before.reduce((length, each) => length + each.length + 1, 0);
  const [at = preseed] = preseed.cut(start).lines();
  at.expected(
    "the YAML of a preseed",
    hint ?? "write it as `incus admin init --dump` prints it",
    `this: ${message}`,
  );
}

/** What NixOS makes of its option, which stands in the store. */
function preseedUnit(secret: SecretRef): Unit {
  const text = `[Unit]
Description=Preseed of Incus
After=incus.service
BindsTo=incus.service
PartOf=incus.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'exec /run/current-system/sw/bin/incus admin init --preseed < %d/${secret.secretRef}'
`;
  return { text, wantedBy: ["incus.service"], credentials: [secret] };
}

function makePreseed(input: Input): Json {
  const init = readInit(input.get("init"));
  const bridge = readBridge(input.get("bridge"));
  const devices = { ...init.devices, ...bridge.devices };
  return {
    ...(Object.keys(init.config).length === 0 ? {} : { config: init.config }),
    ...(init.pools.length === 0 ? {} : { storage_pools: init.pools }),
    ...(bridge.networks.length === 0 ? {} : { networks: bridge.networks }),
    profiles: [{ name: "default", devices }],
  };
}
