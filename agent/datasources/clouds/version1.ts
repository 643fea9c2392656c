import type { Json } from "#core/canonical-json.ts";
import type { JsonObject } from "../cloud.ts";
import type { Machine } from "../machine.ts";
import type { Said } from "./said.ts";

/** The name that an interface has on this machine, else another one. */
export function nameByMac(
  { interfaces }: Pick<Machine, "interfaces">,
  mac: string | undefined,
  otherwise: string,
): string {
  return interfaces.get(mac?.toLowerCase() ?? "") ?? otherwise;
}

/**
 * Items of a network-config of version 1 as a cloud says them, with the names of this machine's
 * interfaces, and without what only says again what its addresses say.
 */
export function itemsOfVersion1(machine: Pick<Machine, "interfaces">, items: readonly Said[]) {
  return items.map((item, index): JsonObject => {
    const values = valuesIn(item);
    if (item.get("type").json !== "physical") return values;
    const mac = item.get("mac_address").text()?.toLowerCase();
    const acceptRa = item.get("accept-ra").json;
    return {
      ...values,
      ...(mac === undefined ? {} : { mac_address: mac }),
      ...(typeof acceptRa === "number" ? { "accept-ra": acceptRa !== 0 } : {}),
      name: nameByMac(machine, mac, item.get("name").text() ?? `eth${index}`),
      subnets: item.get("subnets").items().map(subnetAsMeant),
    };
  });
}

function subnetAsMeant(subnet: Said): JsonObject {
  const { ipv4: _ipv4, ipv6: _ipv6, ...values } = valuesIn(subnet);
  const isStatic = values["type"] === undefined && values["address"] !== undefined;
  return isStatic ? { ...values, type: "static" } : values;
}

function valuesIn(said: Said): JsonObject {
  return Object.fromEntries(
    said.entries().map(([key, { json = null }]): [string, Json] => [key, json]),
  );
}
