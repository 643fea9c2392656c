import type { NetworkdUnit, SettingValue } from "./sections.ts";

/** The text of a file of systemd-networkd. */
export function unitText({ sections }: NetworkdUnit): string {
  const texts = sections.map(({ name, settings }) => {
    const lines = settings.flatMap(([key, value]) =>
      (isList(value) ? value : [value]).map((each) => `${key}=${settingText(each)}\n`),
    );
    return `[${name}]\n${lines.join("")}`;
  });
  return texts.join("\n");
}

/** A setting is one line; a line break in a value would begin another setting. */
function settingText(value: string | number | boolean): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  return String(value).replace(/[\r\n\0]+/g, " ");
}

function isList(value: SettingValue): value is readonly string[] {
  return Array.isArray(value);
}
