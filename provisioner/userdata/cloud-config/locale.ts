import type { Input } from "../input.ts";
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

/** `locale`: a name alone gets UTF-8. */
export const locale: CloudConfigModule = {
  name: "locale",
  keys: ["locale", "locale_configfile"],
  rule:
    "The default locale; a name without a character set and a modifier gets UTF-8, the only one that " +
    "NixOS builds by itself. `false` leaves it to the image. " +
    "`locale_configfile` has no meaning: NixOS writes its own file.",
  example: "locale: de_CH\n",
  translate({ config, draft }) {
    const file = config.get("locale_configfile");
    file?.unsupported(
      {
        code: "cloud-config/no-meaning",
        message: "NixOS writes its own locale file",
        hint: "drop this key; i18n.defaultLocale is what counts",
      },
      typeof file.value === "string" ? "note" : "warning",
    );
    const input = config.get("locale");
    if (input === undefined) return;
    if (input.value === true)
      return input.expected("the name of a locale, or false", "write `locale: en_US.UTF-8`");
    if (isOff(input.value)) return input.mark("translated");
    const name = input.text();
    if (name === undefined) return;
    const isWhole = /[.@]/.test(name) || name === "C" || name === "POSIX";
    draft.spec.locale = isWhole ? name : `${name}.UTF-8`;
    draft.origin(["locale"], input);
  },
};

/** What cloud-init's `util.is_false` takes for one. */
function isOff(value: unknown): boolean {
  return (
    value === false ||
    value === 0 ||
    (typeof value === "string" && ["off", "0", "no", "false"].includes(value.trim().toLowerCase()))
  );
}

/** `keyboard`. */
export const keyboard: CloudConfigModule = {
  name: "keyboard",
  keys: ["keyboard"],
  rule:
    "Layout, model, variant and options of XKB, for the console as well as for graphical sessions. " +
    "With an empty layout the keyboard stays what the image says.",
  example: "keyboard:\n  layout: ch\n  variant: de\n  options: compose:ralt\n",
  translate({ config, draft }) {
    const input = config.get("keyboard");
    if (input === undefined) return;
    if (!input.isMapping())
      return input.expected("a mapping with `layout`", "write it as `{ layout: ch }`");
    const layout = input.get("layout")?.text();
    const wish: Omit<NonNullable<typeof draft.spec.keyboard>, "layout"> = {};
    for (const key of ["model", "variant", "options"] as const) {
      const value = input.get(key)?.text();
      if (value !== undefined) wish[key] = value;
    }
    if (layout === undefined) return saysNothing(input) ? undefined : lacksLayout(input);
    draft.spec.keyboard = { layout, ...wish };
    draft.origin(["keyboard"], input);
  },
};

/** Whether the layout, or all that is written, is empty or wrong, which is named already. */
function saysNothing(input: Input): boolean {
  const isWritten = ["model", "variant", "options"].some((key) => input.has(key));
  return input.has("layout") || (isWritten && input.parts().length === 0);
}

function lacksLayout(input: Input): void {
  input.mark("unsupported");
  input.add("error", {
    code: "user-data/wrong-type",
    message: "`layout` is missing: model, variant and options belong to a layout",
    hint: "add `layout`, for example `layout: us`",
  });
}
