import type { Ethernet } from "#generated/provisioner/spec/v1.ts";
import type { SpecDraft } from "./draft.ts";
import type { Input } from "./input.ts";
import {
  addEthernet,
  gatewayRoute,
  notTranslated,
  put,
  type Route,
  readAddress,
  readPrefixed,
  refuse,
  routeTarget,
} from "./network-parts.ts";

/** The `ethernets` of version 2, which is netplan's format (https://netplan.readthedocs.io). */
export function fillFromVersion2(network: Input, draft: SpecDraft): void {
  network.get("renderer")?.unsupported(
    {
      code: "network/unsupported",
      message: "the network is always configured with systemd-networkd",
    },
    "note",
  );
  const ethernets = network.get("ethernets");
  if (ethernets !== undefined && ethernets.value !== null && !ethernets.isMapping()) {
    ethernets.expected("a mapping of interfaces");
  }
  for (const [name, input] of ethernets?.entries() ?? []) {
    if (input.value !== null && !input.isMapping()) input.expected("a mapping");
    else addEthernet(draft, name, readEthernet(input), input);
    // named one by one, else a mapping of which nothing is read would hide the interface itself
    for (const [, inner] of input.entries()) inner.unmarked().forEach(notTranslated);
  }
}

function readEthernet(input: Input): Ethernet {
  const ethernet: Ethernet = {};
  if (input.value === null || input.entries().length === 0) input.mark("translated");
  put(ethernet, "match", readMatch(input.get("match")));
  put(ethernet, "setName", input.get("set-name")?.text());
  put(ethernet, "dhcp4", input.get("dhcp4")?.boolean());
  put(ethernet, "dhcp6", input.get("dhcp6")?.boolean());
  put(ethernet, "dhcpMetric", readDhcpMetric(input));
  put(ethernet, "acceptRa", input.get("accept-ra")?.boolean());
  put(ethernet, "optional", input.get("optional")?.boolean());
  put(ethernet, "mtu", input.get("mtu")?.integer());
  const addresses = (input.get("addresses")?.items() ?? []).map(readItem);
  put(ethernet, "addresses", nonEmpty(addresses));
  const routes = [
    ...gatewayRoute(input.get("gateway4")),
    ...gatewayRoute(input.get("gateway6")),
    ...(input.get("routes")?.items() ?? []).flatMap(readRoute),
  ];
  put(ethernet, "routes", nonEmpty(routes));
  const servers = input.get("nameservers");
  put(ethernet, "nameservers", nonEmpty(servers?.get("addresses")?.items().map(readAddress) ?? []));
  put(ethernet, "search", nonEmpty([...(servers?.get("search")?.texts() ?? [])]));
  return ethernet;
}

/** One for both families, as clouds say it: that of IPv4 counts where there are two. */
function readDhcpMetric(input: Input): number | undefined {
  const said = ["dhcp4", "dhcp6"].flatMap((family) => {
    const metric = input.get(`${family}-overrides`)?.get("route-metric");
    const value = metric?.integer();
    return metric === undefined || value === undefined ? [] : [{ metric, value }];
  });
  const [first, second] = said;
  if (second !== undefined && second.value !== first?.value)
    second.metric.unsupported({
      code: "network/unsupported",
      message: "that of dhcp4-overrides counts for both families",
      hint: "say it under `firstlight: options` with systemd.network",
    });
  return first?.value;
}

/** An address, or a mapping of one to its label and lifetime, which are left out with a finding. */
function readItem(input: Input): string | undefined {
  const noLength = () => undefined;
  if (!input.isMapping()) return readPrefixed(input, noLength);
  const [first] = input.entries();
  if (first === undefined) return refuse(input, "expected an address");
  first[1].unsupported({
    code: "network/unsupported",
    message: "options of an address are not translated; the address is",
    hint: "say them under `firstlight: options` with systemd.network",
  });
  return first[0];
}

function readMatch(input: Input | undefined): Ethernet["match"] | undefined {
  if (input === undefined) return undefined;
  if (!input.isMapping()) {
    input.expected("a mapping with `name`, `macaddress` or `driver`");
    return undefined;
  }
  const match: NonNullable<Ethernet["match"]> = {};
  put(match, "name", input.get("name")?.text());
  put(match, "mac", input.get("macaddress")?.text()?.toLowerCase());
  put(match, "driver", input.get("driver")?.text());
  return match;
}

function readRoute(input: Input): readonly Route[] {
  const target = input.get("to");
  if (target === undefined) {
    refuse(input, "a route lacks `to`");
    return [];
  }
  const via = readAddress(input.get("via"));
  const to = readTarget(target, via);
  const route: Route = { to: to ?? "default" };
  put(route, "via", via);
  put(route, "metric", input.get("metric")?.integer());
  put(route, "onLink", input.get("on-link")?.boolean());
  return to === undefined ? [] : [route];
}

/** `default`, a network, or one address. */
function readTarget(input: Input, via: string | undefined): string | undefined {
  if (input.value === "default") return input.text();
  const single = () => (String(input.value).includes(":") ? 128 : 32);
  const prefixed = readPrefixed(input, single);
  return prefixed === undefined ? undefined : routeTarget(prefixed, via);
}

function nonEmpty<T>(items: readonly (T | undefined)[]): T[] | undefined {
  const there = items.filter((item) => item !== undefined);
  return there.length === 0 ? undefined : there;
}
