import { bool, list, str } from "#provisioner/nix-language/tree.ts";
import { type Assignment, assign, type Concern, winning } from "./assignment.ts";

/** Host name, domain, hosts, resolver, certificates. */
export function renderNames({ spec, base }: Concern): readonly Assignment[] {
  const { hostname, domain, hosts, resolver, certificates } = spec;
  const texts = (items: readonly string[]) => list(items.map(str));
  return [
    ...(hostname === undefined
      ? []
      : [assign(["networking", "hostName"], winning(base, str(hostname)), ["hostname"])]),
    ...(domain === undefined
      ? []
      : [assign(["networking", "domain"], winning(base, str(domain)), ["domain"])]),
    ...Object.entries(hosts ?? {}).map(([address, names]) =>
      assign(["networking", "hosts", address], texts(names), ["hosts", address]),
    ),
    ...when(resolver?.nameservers, (items) =>
      assign(["networking", "nameservers"], texts(items), ["resolver", "nameservers"]),
    ),
    ...when(resolver?.search, (items) =>
      assign(["networking", "search"], texts(items), ["resolver", "search"]),
    ),
    ...when(resolver?.options, (items) =>
      assign(["networking", "resolvconf", "extraOptions"], texts(items), ["resolver", "options"]),
    ),
    ...when(certificates, (items) =>
      assign(["security", "pki", "certificates"], texts(items), ["certificates"]),
    ),
  ];
}

/** Time zone, locale, keyboard. */
export function renderLocale({ spec, base }: Concern): readonly Assignment[] {
  const { timezone, locale, keyboard } = spec;
  const set = (path: readonly string[], value: string | undefined, from: readonly string[]) =>
    value === undefined ? [] : [assign(path, winning(base, str(value)), from)];
  return [
    ...set(["time", "timeZone"], timezone, ["timezone"]),
    ...set(["i18n", "defaultLocale"], locale, ["locale"]),
    ...(keyboard === undefined
      ? []
      : [assign(["console", "useXkbConfig"], winning(base, bool(true)), ["keyboard"])]),
    ...(["layout", "variant", "model", "options"] as const).flatMap((key) =>
      set(["services", "xserver", "xkb", key], keyboard?.[key], ["keyboard", key]),
    ),
  ];
}

/** Time synchronisation: the servers go to every client in the same way. */
export function renderNtp({ spec, base }: Concern): readonly Assignment[] {
  const { ntp } = spec;
  if (ntp === undefined) return [];
  const enable = ntp.enable ?? true;
  const client = ntp.client ?? "auto";
  const service = {
    auto: "timesyncd",
    timesyncd: "timesyncd",
    chrony: "chrony",
    ntpd: "ntp",
    "ntpd-rs": "ntpd-rs",
    openntpd: "openntpd",
  }[client];
  const from = ["ntp"];
  const servers = [...(ntp.servers ?? []), ...(ntp.pools ?? [])];
  return [
    ...(servers.length === 0
      ? []
      : [
          assign(["networking", "timeServers"], winning(base, list(servers.map(str))), [
            "ntp",
            "servers",
          ]),
        ]),
    ...(client === "auto" && enable
      ? []
      : [assign(["services", service, "enable"], winning(base, bool(enable)), from)]),
  ];
}

function when(
  items: readonly string[] | undefined,
  make: (items: readonly string[]) => Assignment,
): readonly Assignment[] {
  return items === undefined || items.length === 0 ? [] : [make(items)];
}
