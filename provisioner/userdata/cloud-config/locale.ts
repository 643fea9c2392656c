import type { CloudConfigModule } from "./module.ts";

/** `timezone`. */
export const timezone: CloudConfigModule = {
  name: "timezone",
  keys: ["timezone"],
  translate({ config, draft }) {
    const input = config.get("timezone");
    const zone = input?.text();
    if (input === undefined || zone === undefined) return;
    draft.spec.timezone = zone;
    draft.origin(["timezone"], input);
  },
};

/** `locale`: a name without a character set gets UTF-8; `false` leaves it to the image. */
export const locale: CloudConfigModule = {
  name: "locale",
  keys: ["locale", "locale_configfile"],
  translate({ config, draft }) {
    config.get("locale_configfile")?.unsupported({
      code: "cloud-config/no-meaning",
      message: "NixOS writes its own locale file",
      hint: "drop this key; i18n.defaultLocale is what counts",
    });
    const input = config.get("locale");
    if (input === undefined) return;
    if (input.value === false) return input.mark("translated");
    const name = input.text();
    if (name === undefined) return;
    const [, language = name, charset, modifier = ""] =
      /^([^.@]+)(\.[^@]*)?(@.*)?$/.exec(name) ?? [];
    const plain = language === "C" || language === "POSIX";
    draft.spec.locale =
      plain && charset === undefined ? name : `${language}${charset ?? ".UTF-8"}${modifier}`;
    draft.origin(["locale"], input);
  },
};

/** `keyboard`. */
export const keyboard: CloudConfigModule = {
  name: "keyboard",
  keys: ["keyboard"],
  translate({ config, draft }) {
    const input = config.get("keyboard");
    const layout = input?.get("layout")?.text();
    if (input === undefined || layout === undefined) {
      if (input !== undefined && input.value !== null) input.expected("a mapping with `layout`");
      return;
    }
    const wish: NonNullable<typeof draft.spec.keyboard> = { layout };
    for (const key of ["model", "variant", "options"] as const) {
      const value = input.get(key)?.text();
      if (value !== undefined && value !== "") wish[key] = value;
    }
    draft.spec.keyboard = wish;
    draft.origin(["keyboard"], input);
  },
};
