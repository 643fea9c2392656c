import type { Input } from "../input.ts";
import type { CloudConfigModule } from "./module.ts";
import { nameNeedless, nameRefused } from "./refused.ts";

/** What the journal keeps anyway. */
const toJournal = ["log", "print", "none"];
const other =
  "name the broker that the node reports to under `firstlight: report`; `phone_home` posts once when it is up";

/** `reporting`: where cloud-init tells of its stages. */
export const reporting: CloudConfigModule = {
  name: "reporting",
  keys: ["reporting"],
  rule:
    "It is no module, but a setting of cloud-init itself: each entry is a place that its events go to. `log` and `print` ask for nothing, because " +
    "the journal keeps them; a `webhook` is refused, since a node tells of its boots and changes over MQTT (`firstlight: report`).",
  example: `reporting:
  journal: {type: log, level: WARN}
  server: {type: webhook, endpoint: "https://192.0.2.9/events"}
`,
  isRefused: true,
  translate({ config }) {
    const input = config.get("reporting");
    if (input === undefined) return;
    if (!input.isMapping()) return input.expected("a mapping of handlers");
    if (input.entries().length === 0) return nameNeedless(input, "it names no place");
    for (const [, handler] of input.entries()) nameHandler(handler);
  },
};

function nameHandler(handler: Input): void {
  if (!handler.isMapping()) return handler.expected("a mapping with `type`");
  const type = handler.get("type")?.text();
  if (type !== undefined && toJournal.includes(type)) {
    return nameNeedless(handler, "the journal keeps what firstlight says");
  }
  nameRefused(handler, other);
}
