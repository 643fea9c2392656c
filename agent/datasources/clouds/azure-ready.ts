import { Fault } from "#core/fault.ts";
import type { Cloud } from "../cloud.ts";

const goalState = "/machine/?comp=goalstate";
const health = "/machine?comp=health";

/**
 * The report that a machine is up
 * (https://learn.microsoft.com/azure/virtual-machines/linux/no-agent): without it Azure takes the
 * provisioning for failed, and may stop the machine.
 */
export const ready: NonNullable<Cloud["ready"]> = {
  service: {
    // https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
    addresses: ["http://168.63.129.16"],
    headers: { "x-ms-agent-name": "firstlight", "x-ms-version": "2012-11-30" },
    probe: goalState,
    passing: [410],
  },
  async crawl(client) {
    const { elementAt, escapeXml, readXml } = await import("../xml.ts");
    const root = readXml((await client.text(goalState)) ?? "");
    const text = (...names: readonly string[]): string => {
      const said = elementAt(root, ...names)?.text ?? "";
      if (said !== "") return escapeXml(said);
      throw new Fault(
        "datasource/malformed",
        `${goalState}: expected XML with ${names.join("/")}, there is none`,
      );
    };
    const incarnation = text("Incarnation");
    const container = text("Container", "ContainerId");
    const instance = text("Container", "RoleInstanceList", "RoleInstance", "InstanceId");
    const report = [
      '<?xml version="1.0" encoding="utf-8"?>',
      '<Health xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema">',
      `<GoalStateIncarnation>${incarnation}</GoalStateIncarnation>`,
      `<Container><ContainerId>${container}</ContainerId><RoleInstanceList><Role>`,
      `<InstanceId>${instance}</InstanceId><Health><State>Ready</State></Health>`,
      "</Role></RoleInstanceList></Container></Health>",
    ].join("\n");
    await client.post(health, report, { headers: { "content-type": "text/xml; charset=utf-8" } });
  },
};
