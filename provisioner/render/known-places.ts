import { nearest } from "#core/nearest.ts";
import { unprintableReason } from "#provisioner/nix-language/text.ts";
import { addFinding, type Concern } from "./assignment.ts";
import { builtLocale } from "./glibc-locales.ts";

/** Warns of a time zone that is nowhere known; it is rendered all the same. */
export function checkTimeZone(concern: Concern): void {
  const { timezone } = concern.spec;
  if (isText(timezone)) warnOfZone(concern, timezone);
}

/**
 * The default locale under the name that NixOS builds it by. One that is nowhere known is warned of
 * and kept; instead of one in another character set than UTF-8 the same in UTF-8 is taken.
 */
export function readLocale(concern: Concern): string | undefined {
  const { locale } = concern.spec;
  if (!isText(locale)) return locale;
  const built = builtLocale(locale);
  if (built === undefined) {
    const message = "this is no locale of glibc that is known here";
    const hint = "write language_COUNTRY.UTF-8, such as de_CH.UTF-8; `locale -a` lists some";
    addFinding(concern, ["locale"], "warning", "render/locale-unknown", message, hint);
    return locale;
  }
  if (!built.isAsked) {
    const message = `NixOS builds locales in UTF-8: ${built.name} is taken`;
    const hint =
      "write that one; another takes i18n.defaultLocale and i18n.defaultCharset under `firstlight: options`";
    addFinding(concern, ["locale"], "warning", "render/locale-charset", message, hint);
  }
  return built.name;
}

/** What no text can hold is said by `checkSpec`. */
function isText(text: string | undefined): text is string {
  return text !== undefined && unprintableReason(text) === undefined;
}

function warnOfZone(concern: Concern, name: string): void {
  const known = knownZone(name);
  if (known === name) return;
  const likely = known ?? nearest(name, Intl.supportedValuesOf("timeZone"));
  const hint =
    likely === undefined
      ? "write it as in the tz database, such as Europe/Zurich"
      : `did you mean \`${likely}\`?`;
  const message = "this is no time zone of the tz database that is known here";
  addFinding(concern, ["timezone"], "warning", "render/timezone-unknown", message, hint);
}

/** Names of the tz database that are not in ICU's list of zones, or not in ICU at all. */
const alsoKnown: ReadonlySet<string> = new Set([
  ...["UTC", "Etc/UTC", "GMT", "Etc/GMT"],
  ...["Factory", "localtime", "posixrules"],
]);

/**
 * A zone as it is written in the tz database, aliases among them, by Node's own table, which takes
 * any case; `undefined` where it is not there. Offsets are no names. Of an alias in another case
 * only its small first letters are seen.
 */
function knownZone(name: string): string | undefined {
  const zone = name.replace(/^(?:posix|right)\//, "");
  // The list costs nothing; an alias takes a formatter, which is 8 MiB and as long as Node's own start.
  if (alsoKnown.has(zone) || Intl.supportedValuesOf("timeZone").includes(zone)) return name;
  try {
    const { timeZone } = new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions();
    const isOtherCase = timeZone !== zone && timeZone.toLowerCase() === zone.toLowerCase();
    if (isOtherCase) return timeZone;
    return /(?:^|\/)[^A-Z]/.test(zone) ? undefined : name;
  } catch {
    return undefined;
  }
}
