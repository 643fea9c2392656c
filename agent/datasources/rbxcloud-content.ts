import type { CloudInstance, JsonObject } from "./cloud.ts";
import { Said } from "./clouds/said.ts";
import { nameByMac } from "./clouds/version1.ts";
import type { DriveReading } from "./drive-datasource.ts";
import { readJson } from "./json-document.ts";

const document = "cloud.json";
const maxBytes = 1024 * 1024;
const maxUserDataBytes = 16 * 1024 * 1024;

/** What `cloud.json` and `user.data` say. */
export function readRbxCloud(reading: DriveReading): CloudInstance {
  const { value } = readJson(reading.need(document, maxBytes), document, reading.place);
  const said = Said.of(value, (problem) => reading.malformed(document, problem));
  const vm = said.get("vm");
  const account = said.get("additionalMetadata");
  tellOfUser(reading, account);
  return {
    metaData: {
      "instance-id": vm.get("_id").need(),
      "local-hostname": vm.get("name").text(),
      "public-keys": account.get("sshKeys").json,
    },
    userData: reading.read("user.data", maxUserDataBytes),
    networkConfig: networkConfig(reading, said.get("netadp")),
  };
}

/** The account that the cloud names is nobody's here: accounts are made by the user-data. */
function tellOfUser(reading: DriveReading, account: Said): void {
  const hint = "write the account with its keys and its password into the user-data";
  const user = account.get("username").text();
  if (account.get("password").get("sha512").text() !== undefined) {
    reading.find(document, {
      ...{ level: "warning", code: "datasource/not-read", hint },
      message: "the password of the account that the cloud names is not used",
    });
  }
  if (user !== undefined && user !== reading.defaultUser) {
    reading.find(document, {
      ...{ level: "note", code: "datasource/not-read", hint },
      message: `the account that the cloud names is not made: its keys are those of ${reading.defaultUser}`,
    });
  }
}

/** Every address of every adapter, fixed. */
function networkConfig(reading: DriveReading, adapters: Said): JsonObject {
  const config = adapters.items().map((adapter, index): JsonObject => {
    const network = adapter.get("network");
    const mac = adapter.get("macaddress").need().toLowerCase();
    const gateway = network.get("gateway").text();
    const nameservers = network.get("dns").get("nameservers").json;
    const shared = {
      ...{ type: "static", netmask: network.get("netmask").need() },
      ...(gateway === undefined ? {} : { gateway }),
      ...(nameservers === undefined ? {} : { dns_nameservers: nameservers }),
    };
    return {
      ...{ type: "physical", mac_address: mac, name: nameByMac(reading, mac, `eth${index}`) },
      subnets: adapter
        .get("ip")
        .items()
        .map((ip) => ({ ...shared, address: ip.get("address").need() })),
    };
  });
  return { version: 1, config };
}
