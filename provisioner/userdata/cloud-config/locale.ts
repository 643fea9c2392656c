import type { CloudConfigModule } from "./module.ts";

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
