type Options = Intl.DateTimeFormatOptions;
type Part = Pick<Intl.DateTimeFormatPart, "type" | "value">;
type Format = { formatToParts(date: Date): readonly Part[] };

/**
 * `Intl` as node-cron sees it in the bundle (`tools/bundle.ts`): of UTC, the only zone that the agent's
 * schedule has, it says the parts of a date itself, without text between them. Node's own reads tables of
 * languages and calendars for it, and 9 MiB of them stay in memory. Any other zone is Node's.
 */
export const cronIntl = { DateTimeFormat };

/** Called with `new`, which gives what it returns. */
function DateTimeFormat(locale: string, options: Options): Format {
  if (options.timeZone !== "UTC") return new Intl.DateTimeFormat(locale, options);
  return { formatToParts: options.timeZoneName === undefined ? partsOf : zoneOf };
}

const weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

function partsOf(date: Date): readonly Part[] {
  const two = (value: number) => String(value).padStart(2, "0");
  return [
    { type: "weekday", value: weekdays[date.getUTCDay()] ?? "" },
    { type: "month", value: two(date.getUTCMonth() + 1) },
    { type: "day", value: two(date.getUTCDate()) },
    { type: "year", value: String(date.getUTCFullYear()) },
    { type: "hour", value: two(date.getUTCHours()) },
    { type: "minute", value: two(date.getUTCMinutes()) },
    { type: "second", value: two(date.getUTCSeconds()) },
  ];
}

function zoneOf(): readonly Part[] {
  return [{ type: "timeZoneName", value: "GMT+0" }];
}
