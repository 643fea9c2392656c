import type { Input } from "../input.ts";
import type { CloudConfigModule } from "./module.ts";

const clients: Readonly<
  Record<string, "auto" | "timesyncd" | "chrony" | "ntpd" | "openntpd" | "ntpd-rs">
> = {
  auto: "auto",
  "systemd-timesyncd": "timesyncd",
  chrony: "chrony",
  ntp: "ntpd",
  ntpdate: "ntpd",
  openntpd: "openntpd",
  "ntpd-rs": "ntpd-rs",
};

/** `ntp`: an empty section switches it on with NixOS's own servers. */
export const ntp: CloudConfigModule = {
  name: "ntp",
  keys: ["ntp"],
  translate({ config, draft }) {
    const input = config.get("ntp");
    if (input === undefined) return;
    if (input.value !== null && !input.isMapping()) return input.expected("a mapping");
    if (input.value === null || input.entries().length === 0) input.mark("translated");
    const wish: NonNullable<typeof draft.spec.ntp> = {
      enable: input.get("enabled")?.boolean() ?? true,
    };
    const client = readClient(input.get("ntp_client"));
    if (client !== undefined) wish.client = client;
    for (const key of ["servers", "pools"] as const) {
      const names = input.get(key)?.texts() ?? [];
      if (names.length > 0) wish[key] = [...names];
    }
    for (const key of ["peers", "allow", "config"]) {
      input.get(key)?.unsupported({
        code: "cloud-config/unsupported-key",
        message: `ntp.${key} has no word in the spec`,
        hint: "set the options of services.chrony or services.ntp under `firstlight: options`",
      });
    }
    draft.spec.ntp = wish;
    draft.origin(["ntp"], input);
  },
};

function readClient(input: Input | undefined): (typeof clients)[string] | undefined {
  const name = input?.text();
  if (input === undefined || name === undefined) return undefined;
  const client = clients[name];
  if (client === undefined) {
    input.add("warning", {
      code: "cloud-config/unknown-value",
      message: `unknown ntp client; known are ${Object.keys(clients).join(", ")}`,
    });
  }
  return client;
}
