import { isText } from "./merge/mergers.ts";
import type { PartFormat, UserDataPart } from "./parts/part.ts";
import type { Item } from "./yaml-values.ts";

/** The keys of user-data that say what is made of vendor-data. */
export const vendorKeys = { "vendor-data": "vendor_data", "vendor-data2": "vendor_data2" } as const;

/** Which vendor-data it is. */
export type VendorKind = keyof typeof vendorKeys;

/** What user-data says of one vendor-data. */
export interface VendorSwitch {
  readonly isOn: boolean;
  /** Whether a part is left out, for what it is or what it was rendered from. */
  leavesOut(part: Pick<UserDataPart, "format" | "isTemplate">): boolean;
}

/** Content types as `disabled_handlers` names them. */
const contentTypes: Readonly<Partial<Record<PartFormat, string>>> = {
  "cloud-config": "text/cloud-config",
  "cloud-config-jsonp": "text/cloud-config-jsonp",
  "cloud-boothook": "text/cloud-boothook",
  script: "text/x-shellscript",
  "script-per-boot": "text/x-shellscript-per-boot",
  "script-per-instance": "text/x-shellscript-per-instance",
  "script-per-once": "text/x-shellscript-per-once",
};

/**
 * The switch in a config of user-data: on where nothing is said, off where `enabled` is nothing that
 * cloud-init takes for true. Of what is no mapping a list and a text count as nothing, because
 * cloud-init merges its own default over them; anything else is off. `disabled_handlers` is a list, or a
 * text in which any content type counts that it contains.
 */
export function readVendorSwitch(config: Item | undefined, kind: VendorKind): VendorSwitch {
  const said = config?.value.members?.get(vendorKeys[kind]);
  const none = said?.value.members?.get("disabled_handlers")?.value.json;
  const disabled = typeof none === "string" || Array.isArray(none) ? none : [];
  return {
    isOn: said === undefined || (said.value.members === null ? isReplaced(said) : isEnabled(said)),
    leavesOut: ({ format, isTemplate }) => {
      const type = isTemplate ? "text/jinja2" : contentTypes[format];
      return type !== undefined && disabled.includes(type);
    },
  };
}

function isReplaced({ value }: Item): boolean {
  return value.items !== null || isText(value);
}

function isEnabled({ value }: Item): boolean {
  const enabled = value.members?.get("enabled")?.value.scalar;
  if (enabled === undefined) return value.members?.has("enabled") !== true;
  if (enabled === null) return false;
  const text = enabled.floatText ?? String(enabled.json);
  return ["true", "1", "on", "yes"].includes(text.toLowerCase().trim());
}
