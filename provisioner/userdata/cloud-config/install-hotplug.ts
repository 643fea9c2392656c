import type { Input } from "../input.ts";
import type { CloudConfigModule } from "./module.ts";

const atBoot = ["boot", "boot-new-instance", "boot-legacy"];

/** `updates`: when the network is configured anew. */
export const installHotplug: CloudConfigModule = {
  name: "install_hotplug",
  keys: ["updates"],
  rule:
    "firstlight asks the datasource for the network at each boot, and tries what has changed: `boot`, `boot-new-instance` and `boot-legacy` are so " +
    "anyway. `hotplug` is udev's and systemd-networkd's own: an interface that comes later is configured as soon as it is there, " +
    "by the entry that matches it; what the cloud says of it is asked for at the next boot, and a note says so.",
  example: "updates:\n  network:\n    when: [boot-new-instance, hotplug]\n",
  translate({ config }) {
    const input = config.get("updates");
    if (input === undefined) return;
    if (!input.isMapping()) return input.expected("a mapping with `network`");
    const network = input.get("network");
    if (network !== undefined && !network.isMapping()) {
      return network.expected("a mapping with `when`");
    }
    for (const item of network?.get("when")?.items() ?? []) readEvent(item);
    for (const part of [network, input]) if (part?.entries().length === 0) part.mark("translated");
  },
};

function readEvent(item: Input): void {
  const event = item.text();
  if (event === undefined) return;
  if (atBoot.includes(event)) return item.mark("agent");
  if (event === "hotplug") {
    item.mark("agent");
    return item.add("note", {
      code: "cloud-config/no-meaning",
      message: "an interface is configured when it comes, by what is known of it since the boot",
    });
  }
  item.unsupported({
    code: "cloud-config/unknown-value",
    message: `unknown event; known are ${[...atBoot, "hotplug"].join(", ")}`,
  });
}
