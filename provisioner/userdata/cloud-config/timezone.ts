import type { CloudConfigModule } from "./module.ts";

/** `timezone`. */
export const timezone: CloudConfigModule = {
  name: "timezone",
  keys: ["timezone"],
  rule: "The time zone, by its name in the tz database.",
  example: "timezone: Europe/Zurich\n",
  translate({ config, draft }) {
    const input = config.get("timezone");
    const zone = input?.text();
    if (input === undefined || zone === undefined) return;
    draft.spec.timezone = zone;
    draft.origin(["timezone"], input);
  },
};
