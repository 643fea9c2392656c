import { bool, list, str } from "#provisioner/nix-language/tree.ts";
import { type Assignment, addFinding, assign, type Concern, winning } from "./assignment.ts";
import { checkTimeZone, readLocale } from "./known-places.ts";
import { checked, checkedAll, type TextRule, textRules } from "./text-rules.ts";

/** Host name, domain, hosts, resolver, certificates. */
export function renderNames(concern: Concern): readonly Assignment[] {
  const { hostname, domain, resolver, certificates } = concern.spec;
  const { base } = concern;
  checkResolverOptions(concern);
  const text = (path: readonly string[], value: string | undefined, from: string) =>
    value === undefined ? [] : [assign(path, winning(base, str(value)), [from])];
  return [
    ...text(["networking", "hostName"], hostname, "hostname"),
    ...text(["networking", "domain"], domain, "domain"),
    ...renderHosts(concern),
    ...texts(concern, ["networking", "nameservers"], resolver?.nameservers, {
      from: ["resolver", "nameservers"],
      rule: textRules.nameServer,
    }),
    ...texts(concern, ["networking", "search"], resolver?.search, {
      from: ["resolver", "search"],
      rule: textRules.domain,
    }),
    ...texts(concern, ["networking", "resolvconf", "extraOptions"], resolver?.options, {
      from: ["resolver", "options"],
      rule: textRules.resolverOption,
    }),
    ...texts(concern, ["security", "pki", "certificates"], certificates, {
      from: ["certificates"],
    }),
  ];
}

/** With systemd-networkd NixOS has resolv.conf made by systemd-resolved, and resolvconf makes none. */
function checkResolverOptions(concern: Concern): void {
  const { network, resolver, options = {} } = concern.spec;
  if (network === undefined || options["services.resolved.enable"] === false) return;
  const given = [
    ...(resolver?.options === undefined ? [] : [["resolver", "options"]]),
    ...["networking.resolvconf.extraConfig", "networking.resolvconf.extraOptions"]
      .filter((name) => Object.hasOwn(options, name))
      .map((name) => ["options", name]),
  ];
  for (const path of given) {
    addFinding(
      concern,
      path,
      "warning",
      "render/resolver-options",
      "beside a network they have no effect, because systemd-resolved reads none",
      "remove them, or set `services.resolved.enable: false` under `options`",
    );
  }
}

function renderHosts(concern: Concern): readonly Assignment[] {
  return Object.entries(concern.spec.hosts ?? {}).flatMap(([address, names]) => {
    const from = ["hosts", address];
    if (checked(concern, from, address, textRules.address) === undefined) return [];
    return texts(concern, ["networking", "hosts", address], names, {
      from,
      rule: textRules.hostName,
    });
  });
}

/** Time zone, locale, keyboard. */
export function renderLocale(concern: Concern): readonly Assignment[] {
  const { spec, base } = concern;
  const { timezone, keyboard } = spec;
  checkTimeZone(concern);
  const set = (
    path: readonly string[],
    value: string | undefined,
    from: readonly string[],
  ): readonly Assignment[] =>
    value === undefined ? [] : [assign(path, winning(base, str(value)), from)];
  return [
    ...set(["time", "timeZone"], timezone, ["timezone"]),
    ...set(["i18n", "defaultLocale"], readLocale(concern), ["locale"]),
    ...(keyboard === undefined
      ? []
      : [assign(["console", "useXkbConfig"], winning(base, bool(true)), ["keyboard"])]),
    ...(["layout", "variant", "model", "options"] as const).flatMap((key) => {
      const from = ["keyboard", key];
      const value = checked(concern, from, keyboard?.[key], textRules.keyboard);
      return set(["services", "xserver", "xkb", key], value, from);
    }),
  ];
}

const clients = {
  timesyncd: "timesyncd",
  chrony: "chrony",
  ntpd: "ntp",
  "ntpd-rs": "ntpd-rs",
  openntpd: "openntpd",
} as const;

/** Time synchronisation: the servers go to every client in the same way. */
export function renderNtp(concern: Concern): readonly Assignment[] {
  const { spec, base } = concern;
  const { ntp } = spec;
  if (ntp === undefined) return [];
  const { enable = true, client = "auto" } = ntp;
  const servers = [
    ...checkedAll(concern, ["ntp", "servers"], ntp.servers, textRules.server),
    ...checkedAll(concern, ["ntp", "pools"], ntp.pools, textRules.server),
  ];
  const service = (name: string) =>
    assign(["services", name, "enable"], winning(base, bool(enable)), ["ntp"]);
  const chosen = client === "auto" ? [] : [clients[client]];
  // Without time synchronisation NixOS's own client is off too.
  const named = enable ? chosen : [...new Set(["timesyncd", ...chosen])];
  const byTimesyncd = enable && (client === "auto" || client === "timesyncd");
  const serverOptions = [
    ["networking", "timeServers"],
    // NixOS makes only its fallback of those, which it asks when DHCP has named none.
    ...(byTimesyncd ? [["services", "timesyncd", "servers"]] : []),
  ];
  const from = ["ntp", ntp.servers === undefined ? "pools" : "servers"];
  return [
    ...(servers.length === 0
      ? []
      : serverOptions.map((path) => assign(path, winning(base, list(servers.map(str))), from))),
    ...named.map(service),
  ];
}

interface TextsOptions {
  readonly from: readonly string[];
  readonly rule?: TextRule;
}

function texts(
  concern: Concern,
  path: readonly string[],
  items: readonly string[] | undefined,
  { from, rule }: TextsOptions,
): readonly Assignment[] {
  const fit = rule === undefined ? (items ?? []) : checkedAll(concern, from, items, rule);
  return fit.length === 0 ? [] : [assign(path, list(fit.map(str)), from)];
}
