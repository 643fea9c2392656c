import { wordHint } from "#core/word-hint.ts";
import type { Ntp } from "#generated/provisioner/spec/v1.ts";
import type { SpecDraft } from "../draft.ts";
import type { Input } from "../input.ts";
import { getOwn } from "../own-key.ts";
import type { CloudConfigModule } from "./module.ts";
import { addNtpServing } from "./ntp-serving.ts";
import { nameNeedless } from "./refused.ts";

const clients: Readonly<Record<string, NonNullable<Ntp["client"]>>> = {
  auto: "auto",
  "systemd-timesyncd": "timesyncd",
  chrony: "chrony",
  ntp: "ntpd",
  ntpsec: "ntpd",
  ntpdate: "ntpd",
  openntpd: "openntpd",
  "ntpd-rs": "ntpd-rs",
};

/** `ntp`: an empty section switches it on with NixOS's own servers. */
export const ntp: CloudConfigModule = {
  name: "ntp",
  keys: ["ntp"],
  rule:
    "Servers, pools and the program. An empty section switches time synchronisation on with the " +
    "servers of NixOS; `enabled: false` leaves it as the image has it. `peers`, and the networks of `allow` that may ask this machine, are " +
    "said to chrony or ntpd; without a named client, chrony is taken for them. With `allow` the firewall lets in NTP (UDP 123). systemd-timesyncd, OpenNTPD and ntpd-rs take neither here. Of `config` a " +
    "`template` is refused, since NixOS writes the file; the rest only says how a package is installed.",
  example: `ntp:
  ntp_client: chrony
  pools: [0.pool.example.org]
  servers: [192.0.2.123]
  allow: [192.0.2.0/24]
`,
  translate({ config, draft }) {
    const input = config.get("ntp");
    if (input === undefined) return;
    if (!input.isMapping()) return input.expected("a mapping");
    if (input.entries().length === 0) input.mark("translated");
    const wish: Ntp = { enable: true };
    const enabled = input.get("enabled")?.boolean() ?? true;
    const client = readClient(input.get("ntp_client"));
    if (client !== undefined) wish.client = client;
    for (const key of ["servers", "pools"] as const) {
      const names = readNames(key, input.get(key), draft);
      if (names.length > 0) wish[key] = names;
    }
    nameConfig(input.get("config"), wish.client);
    if (!enabled) return leave(input);
    const serving = addNtpServing(input, wish.client, draft);
    if (serving !== undefined) wish.client = serving;
    draft.spec.ntp = wish;
    draft.origin(["ntp"], input);
  },
};

/** Each name once, with the place of the first entry that says it. */
function readNames(key: "servers" | "pools", list: Input | undefined, draft: SpecDraft): string[] {
  const names = new Set<string>();
  for (const item of list?.items() ?? []) {
    const name = item.text();
    if (name === undefined || names.has(name)) continue;
    draft.origin(["ntp", key, names.size], item);
    names.add(name);
  }
  return [...names];
}

/** Says that what stands beside `enabled: false` has no effect. */
function leave(input: Input): void {
  for (const [key, inner] of input.entries()) {
    if (key === "enabled") continue;
    inner.unsupported(
      {
        code: "cloud-config/overridden",
        message: "`enabled: false` leaves time as the image has it",
      },
      "note",
    );
  }
}

const settings: Readonly<Partial<Record<NonNullable<Ntp["client"]>, string>>> = {
  timesyncd: "services.timesyncd.extraConfig",
  chrony: "services.chrony.extraConfig",
  ntpd: "services.ntp.extraConfig",
  "ntpd-rs": "services.ntpd-rs.settings",
  openntpd: "services.openntpd.extraConfig",
};

/** How a client is installed is NixOS's own; a file of one's own is not. */
function nameConfig(input: Input | undefined, client: Ntp["client"] = "auto"): void {
  if (input === undefined) return;
  if (!input.isMapping()) return input.expected("a mapping with `template`");
  for (const key of ["confpath", "check_exe", "packages", "service_name"]) {
    const part = input.get(key);
    if (part === undefined) continue;
    if (key === "packages") part.texts();
    else part.text();
    nameNeedless(part, "NixOS brings the program, its unit and its file");
  }
  for (const key of ["template", "template_name"]) {
    const part = input.get(key);
    if (part?.text() === undefined) continue;
    part.unsupported({
      code: "cloud-config/unsupported-key",
      message: `\`ntp.config.${key}\` is not translated: NixOS writes the file of the client itself`,
      hint: `add lines with ${settings[client] ?? "services.timesyncd.extraConfig"} under \`firstlight: options\``,
    });
  }
  if (input.entries().length === 0) input.mark("translated");
}

function readClient(input: Input | undefined): Ntp["client"] {
  const name = input?.text();
  if (input === undefined || name === undefined) return undefined;
  const client = getOwn(clients, name);
  if (client === undefined) {
    input.unsupported({
      code: "cloud-config/unknown-value",
      message: "unknown ntp client",
      hint: wordHint(name, Object.keys(clients)),
    });
  }
  return client;
}
