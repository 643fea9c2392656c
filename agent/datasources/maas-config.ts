import { Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import { readYaml } from "#provisioner/userdata/yaml.ts";
import { isContainer } from "../container.ts";
import type { JsonObject } from "./cloud.ts";
import { settingsDocuments } from "./cloud-init-settings.ts";
import { objectIn, textIn } from "./clouds/json-values.ts";
import type { OAuthKeys } from "./metadata/oauth.ts";

/** Where a machine of MAAS asks, and by what right. */
export interface MaasConfig {
  /** Which of its places says it, the last one of several. */
  readonly place: string;
  readonly url: string;
  readonly oAuth: OAuthKeys | undefined;
}

/**
 * What MAAS has written into an installed machine: `datasource: MAAS:` of cloud-init's settings, or
 * `cc: … end_cc` of the kernel command line, later places before earlier ones. Throws
 * `datasource/malformed`.
 */
export function readMaasConfig(files: Files): MaasConfig | undefined {
  if (isContainer(files)) return undefined;
  let said: JsonObject = {};
  let place = "";
  for (const [where, text] of settingsDocuments(files)) {
    if (!text.includes("MAAS") || !text.includes("metadata_url")) continue;
    const { value } = readYaml(text, { document: where });
    if (value === undefined)
      throw new Fault("datasource/malformed", `${where}: names MAAS and is no YAML`);
    const here = objectIn(objectIn(objectIn(value)["datasource"])["MAAS"]);
    if (Object.keys(here).length > 0) place = where;
    said = { ...said, ...here };
  }
  const text = (key: string) => textIn(said[key]) ?? "";
  const url = text("metadata_url");
  if (url === "") return undefined;
  if (!/^http:\/\/[^/\s]+/.test(url) || !URL.canParse(url))
    throw new Fault("datasource/malformed", `${place}: metadata_url: an http address was expected`);
  const keys = { consumerKey: text("consumer_key"), tokenKey: text("token_key") };
  const secrets = { consumerSecret: text("consumer_secret"), tokenSecret: text("token_secret") };
  const hasKeys = keys.consumerKey !== "" && keys.tokenKey !== "";
  return { place, url, oAuth: hasKeys ? { ...keys, ...secrets } : undefined };
}
