import { Fault } from "#core/fault.ts";
import type { CloudInstance } from "./cloud.ts";
import { objectIn } from "./clouds/json-values.ts";
import { Said } from "./clouds/said.ts";
import { readJson } from "./json-document.ts";

const name = "metadata document";

/** What the document says; `place` stands in messages. Throws `datasource/malformed`. */
export function readBigstep(bytes: Uint8Array, place: string): CloudInstance {
  const { value } = readJson(bytes, name, place);
  const said = Said.of(
    value,
    (problem) => new Fault("datasource/malformed", `${place}: ${name}: ${problem}`),
  );
  const metaData = said.get("metadata");
  if (metaData.json === undefined || metaData.entries().length === 0)
    throw metaData.wrong("a mapping was expected, there is none");
  return {
    metaData: objectIn(metaData.json),
    userData: said.get("userdata_raw").bytes(),
    vendorData: said.get("vendordata_raw").bytes(),
  };
}
