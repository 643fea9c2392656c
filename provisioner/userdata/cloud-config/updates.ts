import type { Input } from "../input.ts";
import type { CloudConfigModule } from "./module.ts";

/** `updates: network: when`: on which events the network is made anew. */
export const installHotplug: CloudConfigModule = {
  name: "install_hotplug",
  keys: ["updates"],
  rule:
    "`hotplug` needs nothing: systemd-networkd and udev configure an interface whenever it comes. `boot` and `boot-legacy` are so " +
    "anyway: each boot reads the network config, and the policy of the node decides on what has changed. " +
    "`boot-new-instance` alone, which keeps a later network config away, is said by `firstlight: update`.",
  example: "updates:\n  network:\n    when: [boot, hotplug]\nhostname: edge-17\n",
  translate({ config }) {
    const input = config.get("updates");
    if (input === undefined) return;
    const network = input.get("network");
    if (!input.isMapping() || (network !== undefined && !network.isMapping())) {
      return (network ?? input).expected(
        "a mapping",
        "write it as `{ network: { when: [hotplug] } }`",
      );
    }
    for (const each of [input, network]) if (each?.entries().length === 0) each.mark("translated");
    const when = network?.get("when");
    const items = when === undefined ? [] : when.items();
    const isOnlyNew = items.every(({ value }) => value === "boot-new-instance");
    for (const item of items) readEvent(item, isOnlyNew);
  },
};

function readEvent(item: Input, isOnlyNew: boolean): void {
  const name = item.text();
  if (name === undefined || ["boot", "boot-legacy", "hotplug"].includes(name)) return;
  if (name !== "boot-new-instance") {
    const hint = "known are boot, boot-legacy, boot-new-instance and hotplug";
    return item.unsupported({
      code: "cloud-config/unknown-value",
      message: "no event of this name",
      hint,
    });
  }
  if (!isOnlyNew) return;
  item.unsupported(
    {
      code: "cloud-config/unsupported-key",
      message: "a later network config counts as every other change of the documents does",
      hint: "write `firstlight: { update: { changes: hold } }` to have changes wait for a person",
    },
    "note",
  );
}
