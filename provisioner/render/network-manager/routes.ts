import type { LinkSettings, Route, RoutingRule } from "#generated/provisioner/spec/v1.ts";
import { type IpInput, noAddresses } from "./ip-input.ts";
import { type Family, familyOf, hasAddresses, type Method } from "./method.ts";
import type { Tell } from "./tell.ts";

/** Types of routes that NetworkManager makes. */
const types = ["unicast", "local", "blackhole", "unreachable", "prohibit", "throw"];
/** Scopes of IPv4 by their numbers (rtnetlink(7)). */
const scopes = { global: 0, link: 253, host: 254 } as const;
/** The main table: said where the interface has another one for what routers tell. */
const mainTable = 254;
/** NetworkManager takes no rule without a priority; the kernel itself counts down from 32765. */
const firstPriority = 32_000;

type Setting = readonly [`route${number}` | `route${number}_options`, string];

/** Routes of a family, each with a line of what else is said of it. */
export function routeSettings(
  { settings, from, tell }: IpInput,
  family: Family,
  method: Method,
): readonly Setting[] {
  const made = (settings.routes ?? []).flatMap((route, index) => {
    const path = [...from, "routes", String(index)];
    if (routeFamily(route) !== family || !canSay(route, path, family, tell)) return [];
    if (hasAddresses(method) || method === "link-local") return [{ route, path }];
    tell({ path, ...noAddresses("routes") });
    return [];
  });
  return made.flatMap(({ route, path }, index): readonly Setting[] => {
    const options = routeOptions(settings, route, { family, path, tell });
    return [
      [`route${index + 1}`, line(route, family)],
      ...(options === "" ? [] : ([[`route${index + 1}_options`, options]] as const)),
    ];
  });
}

/** `198.51.100.0/24,192.0.2.1,100`; before a metric no gateway is the address of nothing. */
function line(route: Route, family: Family): string {
  const { via, metric } = route;
  const noGateway = family === 4 ? "0.0.0.0" : "::";
  const gateway = via ?? (metric === undefined ? undefined : noGateway);
  return [destination(route, family), gateway, metric]
    .filter((part) => part !== undefined)
    .join(",");
}

function routeFamily({ to, via, from = "" }: Route): Family {
  if (to !== "default") return familyOf(to);
  return via === "_ipv6ra" ? 6 : familyOf(via === "_dhcp4" ? "" : (via ?? from));
}

function destination({ to }: Route, family: Family): string {
  if (to === "default") return family === 4 ? "0.0.0.0/0" : "::/0";
  return to.includes("/") ? to : `${to}/${family === 4 ? 32 : 128}`;
}

/** A route of which NetworkManager would make another one is left out. */
function canSay(
  { via, type }: Route,
  path: readonly string[],
  family: Family,
  tell: Tell,
): boolean {
  if (via?.startsWith("_") === true) {
    const message =
      "NetworkManager knows no gateway that DHCP or a router says; the route is left out";
    tell({ path: [...path, "via"], message });
    return false;
  }
  if (via !== undefined && familyOf(via) !== family) {
    const message = "NetworkManager takes gateways of the same family; the route is left out";
    tell({ path: [...path, "via"], message });
    return false;
  }
  if (type === undefined || types.includes(type)) return true;
  const message = `NetworkManager makes no routes of the type ${type}; the route is left out`;
  tell({ path: [...path, "type"], message });
  return false;
}

function routeOptions(
  { raOverrides }: LinkSettings,
  route: Route,
  at: { readonly family: Family; readonly path: readonly string[]; readonly tell: Tell },
): string {
  const { family, path, tell } = at;
  const isMoved = family === 6 && raOverrides?.table !== undefined;
  if (route.scope !== undefined && route.scope !== "global" && family === 6) {
    const message = "routes of IPv6 have no scope";
    tell({ path: [...path, "scope"], message });
  }
  const options: readonly (readonly [string, string | number | boolean | undefined])[] = [
    ["onlink", route.onLink === true ? true : undefined],
    ["type", route.type],
    ["scope", family === 4 && route.scope !== undefined ? scopes[route.scope] : undefined],
    ["table", route.table ?? (isMoved ? mainTable : undefined)],
    ["src", route.from],
    ["mtu", route.mtu],
    ["advmss", route.advertisedMss],
    ["initcwnd", route.congestionWindow],
    ["initrwnd", route.advertisedReceiveWindow],
  ];
  return options
    .flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}`]))
    .join(",");
}

/** Rules of a family; one that names no network is for both. */
export function ruleSettings({ routingPolicy = [] }: LinkSettings, family: Family) {
  const rules = routingPolicy.flatMap((rule, index) => {
    const named = networks(rule);
    const isMine = named.length === 0 || named.every((each) => familyOf(each) === family);
    return isMine ? [ruleText(rule, firstPriority + index, family)] : [];
  });
  return rules.map((text, index) => [`routing-rule${index + 1}`, text] as const);
}

function networks({ from, to }: RoutingRule): readonly string[] {
  return [from, to].filter((each) => each !== undefined && each !== "default") as string[];
}

function ruleText(rule: RoutingRule, priority: number, family: Family): string {
  const { from, to, table, mark, typeOfService } = rule;
  const everything = family === 4 ? "0.0.0.0/0" : "::/0";
  const isNamed = networks(rule).length > 0;
  const parts: readonly (readonly [string, string | number | undefined])[] = [
    ["priority", rule.priority ?? priority],
    ["from", from === "default" || !isNamed ? everything : from],
    ["to", to === "default" ? everything : to],
    ["tos", typeOfService === undefined ? undefined : `0x${hex(typeOfService, 2)}`],
    ["fwmark", mark === undefined ? undefined : `0x${hex(mark, 1)}`],
    ["table", table ?? mainTable],
  ];
  return parts
    .flatMap(([key, value]) => (value === undefined ? [] : [`${key} ${value}`]))
    .join(" ");
}

function hex(number: number, digits: number): string {
  return number.toString(16).padStart(digits, "0");
}
