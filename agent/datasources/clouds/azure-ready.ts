import { Fault } from "#core/fault.ts";
import { printable } from "#core/printable.ts";
import type { Cloud } from "../cloud.ts";

const goalState = "/machine/?comp=goalstate";
const health = "/machine?comp=health";
/** Of a description; cloud-init sends no longer one. */
const mostCharacters = 512;

/**
 * The report that a machine is up, or that its provisioning has failed, and why
 * (https://learn.microsoft.com/azure/virtual-machines/linux/no-agent): without it Azure takes the
 * provisioning for failed, and may stop the machine.
 */
export const ready: NonNullable<Cloud["ready"]> = {
  service: {
    // https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
    addresses: ["http://168.63.129.16"],
    headers: { "x-ms-agent-name": "firstlight", "x-ms-version": "2012-11-30" },
    probe: goalState,
    markup: true,
    passing: [410],
  },
  async tell(client, problem) {
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
    const how =
      problem === undefined
        ? "<State>Ready</State>"
        : `<State>NotReady</State><Details><SubStatus>ProvisioningFailed</SubStatus><Description>${escapeXml(described(problem))}</Description></Details>`;
    const report = [
      '<?xml version="1.0" encoding="utf-8"?>',
      '<Health xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema">',
      `<GoalStateIncarnation>${incarnation}</GoalStateIncarnation>`,
      `<Container><ContainerId>${container}</ContainerId><RoleInstanceList><Role>`,
      `<InstanceId>${instance}</InstanceId><Health>${how}</Health>`,
      "</Role></RoleInstanceList></Container></Health>",
    ].join("\n");
    await client.post(health, report, { headers: { "content-type": "text/xml; charset=utf-8" } });
  },
};

function described(problem: string): string {
  return [...printable(problem)].slice(0, mostCharacters).join("").toWellFormed();
}
