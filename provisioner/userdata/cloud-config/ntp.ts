import type { Ntp } from "#generated/provisioner/spec/v1.ts";
import type { SpecDraft } from "../draft.ts";
import type { Input } from "../input.ts";
import { getOwn } from "../own-key.ts";
import type { CloudConfigModule } from "./module.ts";

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
    "servers of NixOS; `enabled: false` leaves it as the image has it. `peers`, `allow` and `config` " +
    "are not translated.",
  example: "ntp:\n  ntp_client: chrony\n  pools: [0.pool.example.org]\n  servers: [192.0.2.123]\n",
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
    for (const key of ["peers", "allow", "config"]) {
      input.get(key)?.unsupported({
        code: "cloud-config/unsupported-key",
        message: `ntp.${key} has no word in the spec`,
        hint: "set the options of services.chrony or services.ntp under `firstlight: options`",
      });
    }
    if (!enabled) return leave(input);
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

function readClient(input: Input | undefined): Ntp["client"] {
  const name = input?.text();
  if (input === undefined || name === undefined) return undefined;
  const client = getOwn(clients, name);
  if (client === undefined) {
    input.unsupported({
      code: "cloud-config/unknown-value",
      message: `unknown ntp client; known are ${Object.keys(clients).join(", ")}`,
    });
  }
  return client;
}
