import { Fault } from "#core/fault.ts";
import type { Finding } from "#core/finding.ts";
import { readUtf8 } from "#provisioner/userdata/utf8-text.ts";
import { decodeBase64 } from "./base64.ts";
import { quoted } from "./images/image.ts";
import { elementAt, readXml } from "./xml.ts";

const used = ["instance-id", "local-hostname", "hostname", "public-keys", "password"];
const documents = ["user-data", "network-config", "seedfrom"];
/** Names that a message lists at most. */
const mostNames = 12;

/** What the properties of an environment say. */
export interface OvfEnvironment {
  readonly metaData: Readonly<Record<string, string>>;
  readonly userData: Uint8Array | undefined;
  readonly networkConfig: Uint8Array | undefined;
  /** Where the rest of the documents lies. */
  readonly seedFrom: string | undefined;
  readonly findings: readonly Finding[];
}

/**
 * The properties of `ovf-env.xml` (DSP0243, chapter 11) that cloud-init knows. Throws
 * `datasource/malformed`; `place` stands in messages.
 */
export function readOvfEnvironment(bytes: Uint8Array, place: string): OvfEnvironment {
  const properties = readProperties(bytes, place);
  const metaData = [...properties].flatMap(([key, value]) =>
    used.includes(key) && value !== ""
      ? [[key === "hostname" ? "local-hostname" : key, value] as const]
      : [],
  );
  const userData = properties.get("user-data");
  const network = properties.get("network-config") || undefined;
  const networkConfig = network === undefined ? undefined : decodeBase64(network);
  if (network !== undefined && networkConfig === undefined) {
    throw new Fault(
      "datasource/malformed",
      `${place}: network-config: base64 was expected, another text came`,
    );
  }
  return {
    metaData: Object.fromEntries(metaData),
    userData:
      userData === undefined ? undefined : (decodeBase64(userData) ?? Buffer.from(userData)),
    networkConfig,
    seedFrom: properties.get("seedfrom") || undefined,
    findings: [...ofPassword(properties, place), ...ofOthers(properties, place)],
  };
}

function readProperties(bytes: Uint8Array, place: string): ReadonlyMap<string, string> {
  const { text } = readUtf8(bytes);
  const root = text === undefined ? undefined : readXml(text);
  const section = root?.name === "Environment" ? elementAt(root, "PropertySection") : undefined;
  if (section === undefined) {
    const what = root === undefined ? "XML" : "an Environment with a PropertySection";
    throw new Fault("datasource/malformed", `${place}: ${what} was expected, something else came`);
  }
  const properties = section.elements.filter(({ name }) => name === "Property");
  return new Map(
    properties.flatMap(({ attributes }) => {
      const [key, value] = [attributes.get("key"), attributes.get("value")];
      return key === undefined || value === undefined ? [] : [[key, value] as const];
    }),
  );
}

function ofPassword(properties: ReadonlyMap<string, string>, place: string): readonly Finding[] {
  if ((properties.get("password") ?? "") === "") return [];
  return [
    about(place, {
      code: "datasource/unused-value",
      message: "there is a password for this machine; it is not set, being in plain text",
      hint: "give the user a key, or a `hashed_passwd`",
    }),
  ];
}

/** What an appliance says to itself. */
function ofOthers(properties: ReadonlyMap<string, string>, place: string): readonly Finding[] {
  const others = [...properties.keys()].filter((key) => ![...used, ...documents].includes(key));
  if (others.length === 0) return [];
  const names = others.slice(0, mostNames).map(quoted).join(", ");
  const more = others.length > mostNames ? ` and ${others.length - mostNames} more` : "";
  return [
    about(place, {
      code: "datasource/not-read",
      message: `properties that are not read: ${names}${more}`,
      hint: "put what you need of them into the user-data",
    }),
  ];
}

function about(place: string, said: Pick<Finding, "code" | "message" | "hint">): Finding {
  return { document: place, path: "", line: null, column: null, level: "note", ...said };
}
