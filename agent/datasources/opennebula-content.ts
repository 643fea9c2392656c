import { Fault } from "#core/fault.ts";
import { readUtf8 } from "#provisioner/userdata/utf8-text.ts";
import { decodeBase64 } from "./base64.ts";
import type { CloudInstance } from "./cloud.ts";
import type { DriveReading } from "./drive-datasource.ts";
import { openNebulaNetwork } from "./opennebula-network.ts";
import { readShellAssignments } from "./shell-assignments.ts";

const document = "context.sh";
const defaultInstanceId = "iid-dsopennebula";
const maxBytes = 16 * 1024 * 1024;
/** Documents and scripts, which are no meta-data. */
const documents = ["USER_DATA", "USERDATA", "START_SCRIPT", "START_SCRIPT_BASE64", "INIT_SCRIPTS"];
const scripts = ["START_SCRIPT", "START_SCRIPT_BASE64"];

/** What the variables of `context.sh` say. */
export function readOpenNebula(reading: DriveReading): CloudInstance {
  const variables = readVariables(reading);
  const first = (...names: readonly string[]) =>
    names.map((name) => variables.get(name)).find((value) => value !== undefined && value !== "");
  if (first("DSMODE")?.toLowerCase() === "disabled")
    throw new Fault("datasource/none", `${reading.place}: ${document} says DSMODE: disabled`);
  tellOfScripts(reading, variables);
  const virtualMachine = first("VMID");
  const keys = first("SSH_KEY", "SSH_PUBLIC_KEY");
  const others = [...variables].filter(([name]) => !documents.includes(name));
  return {
    metaData: {
      ...Object.fromEntries(others),
      // Other than in cloud-init, where every machine has the default.
      "instance-id":
        virtualMachine === undefined ? undefined : `${defaultInstanceId}-${virtualMachine}`,
      "local-hostname": hostname(first),
      ...(keys === undefined ? {} : { "public-keys": keys }),
    },
    defaultInstanceId,
    userData: userData(reading, first),
    networkConfig: openNebulaNetwork(variables, reading),
  };
}

type First = (...names: readonly string[]) => string | undefined;

function readVariables(reading: DriveReading): ReadonlyMap<string, string> {
  const decoded = readUtf8(reading.need(document, maxBytes));
  if (decoded.text === undefined) {
    const { line, column, found } = decoded;
    const problem = `expected UTF-8, got ${found} in line ${line}, column ${column}`;
    throw reading.malformed(document, problem);
  }
  const read = readShellAssignments(decoded.text);
  if ("variables" in read) return read.variables;
  throw reading.malformed(document, `line ${read.line}: ${read.problem}`);
}

/** A name, else one that is made of the first address. */
function hostname(first: First): string | undefined {
  const said = first("SET_HOSTNAME", "HOSTNAME", "PUBLIC_IP", "IP_PUBLIC", "ETH0_IP");
  return said === undefined || !/^\d+(?:\.\d+){3}$/.test(said)
    ? said
    : `ip-${said.replaceAll(".", "-")}`;
}

function userData(reading: DriveReading, first: First): Uint8Array | undefined {
  const text = first("USER_DATA", "USERDATA");
  if (text === undefined) return undefined;
  if (first("USERDATA_ENCODING", "USER_DATA_ENCODING") !== "base64") return Buffer.from(text);
  const decoded = decodeBase64(text);
  if (decoded !== undefined) return decoded;
  throw reading.malformed(document, "USER_DATA: base64 was expected, another text came");
}

function tellOfScripts(reading: DriveReading, variables: ReadonlyMap<string, string>): void {
  const given = scripts.filter((name) => (variables.get(name) ?? "") !== "");
  if (given.length === 0) return;
  reading.find(document, {
    level: "warning",
    code: "datasource/not-read",
    message: `a script is not run: ${given.join(", ")}`,
    hint: "write it into the user-data, with USERDATA_ENCODING=base64 where that is encoded",
  });
}
