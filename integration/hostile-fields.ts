import { posix } from "node:path";
import type { Json } from "#core/canonical-json.ts";

/** One place of a cloud-config that takes text. */
export interface Field {
  /** Keys down to it; after a key that ends in `[]` every field is an item of its own. */
  readonly at: readonly string[];
  readonly name: string;
  /** What stands there. */
  readonly value: (text: string) => Json;
  /** What stands there when the text was refused; left out when absent. */
  readonly otherwise?: Json;
  /** The texts that come of it when it is not refused; itself, unless the field says otherwise. */
  readonly comesOut?: (text: string) => readonly string[];
}

/** A line of a document for each field, or none. */
export interface Written {
  readonly text: string;
  /** The field of each line, from line 1. */
  readonly fieldOf: ReadonlyMap<number, Field>;
}

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExampleExampleExampleExampleExampleExampleEx";
const hash = "$6$salt$";

const top = (name: string, value = (text: string): Json => text): Field => ({
  at: [name],
  name,
  value,
});

const item = (list: string, name: string, value: (text: string) => Json): Field => ({
  at: [`${list}[]`],
  name: `${list}: ${name}`,
  value,
});

const below = (parent: string, name: string, otherwise?: Json): Field => ({
  at: [parent, name],
  name: `${parent}.${name}`,
  value: (text) => text,
  ...(otherwise === undefined ? {} : { otherwise }),
});

const user = (name: string, value: (text: string) => Json): Field =>
  item("users", name, (text) => ({
    name: `u-${name.replaceAll(/[^a-z]/g, "-")}`,
    lock_passwd: false,
    [name.replace(/ .*/, "")]: value(text),
  }));

const file = (name: string, value: (text: string) => Json): Field =>
  item("write_files", name, (text) => ({
    path: `/etc/hostile/${name.replaceAll(/[^a-z]/g, "-")}`,
    content: "x",
    ...(value(text) as object),
  }));

const own = (name: string, value = (text: string): Json => text): Field => ({
  at: ["firstlight", name],
  name: `firstlight.${name}`,
  value,
});

const plain = (text: string): Json => text;

/** What cloud-init takes for a list of names. */
const names = (text: string) => parts(text, ",");
/** Lines of an authorized_keys file, without its comments. */
const keys = (text: string) => parts(text, /[\r\n]/).filter((line) => !line.startsWith("#"));
const trimmed = (text: string) => [text.trim()];
const owners = (text: string) => parts(text, ":");
/** A path below /etc is the name of an option without it. */
const resolved = (base: string) => (text: string) => [
  posix.resolve(base + text).replace(/^\/etc\//, ""),
];
/** A character set comes between a language and its modifier. */
const languages = (text: string) => text.split("@");

function parts(text: string, separator: string | RegExp): readonly string[] {
  return text
    .split(separator)
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function comingOut(field: Field, comesOut: (text: string) => readonly string[]): Field {
  return { ...field, comesOut };
}

/** Every place of a cloud-config that takes text, beside the two names of the machine. */
const common: readonly Field[] = [
  top("timezone"),
  comingOut(top("locale"), languages),
  top("locale_configfile"),
  below("keyboard", "layout", "us"),
  below("keyboard", "model"),
  below("keyboard", "variant"),
  below("keyboard", "options"),
  { ...below("ntp", "servers"), value: (text) => [text] },
  { ...below("ntp", "pools"), value: (text) => [text] },
  { ...below("ntp", "peers"), value: (text) => [text] },
  below("ntp", "ntp_client"),
  below("ntp", "config"),
  comingOut(item("groups", "name", plain), names),
  item("groups", "key", (text) => ({ [text]: [] })),
  comingOut(
    item("groups", "member", (text) => ({ "a-group": [text] })),
    names,
  ),
  comingOut(item("users", "plain", plain), names),
  item("users", "name", (text) => ({ name: text })),
  user("gecos", plain),
  user("primary_group", plain),
  comingOut(
    user("groups", (text) => [text]),
    names,
  ),
  comingOut(user("groups text", plain), names),
  user("homedir", plain),
  user("shell", plain),
  user("hashed_passwd", plain),
  user("hashed_passwd hash", (text) => hash + text),
  user("passwd", plain),
  comingOut(
    user("ssh_authorized_keys", (text) => [text]),
    keys,
  ),
  comingOut(
    user("ssh_authorized_keys comment", (text) => [`${key} ${text}`]),
    keys,
  ),
  user("ssh_import_id", (text) => [text]),
  comingOut(user("sudo", plain), trimmed),
  comingOut(
    user("sudo list", (text) => [text]),
    trimmed,
  ),
  comingOut(
    user("sudo rule", (text) => [`ALL=(ALL) NOPASSWD: ${text}`]),
    trimmed,
  ),
  comingOut(
    user("doas", (text) => [text]),
    trimmed,
  ),
  user("expiredate", plain),
  user("selinux_user", plain),
  user("uid", plain),
  comingOut(item("ssh_authorized_keys", "key", plain), keys),
  comingOut(
    item("ssh_authorized_keys", "comment", (text) => `${key} ${text}`),
    keys,
  ),
  item("packages", "name", plain),
  item("packages", "version", (text) => ["htop", text]),
  item("packages", "of apt", (text) => ({ apt: [text] })),
  item("packages", "manager", (text) => ({ [text]: ["htop"] })),
  comingOut(
    file("path", (text) => ({ path: text })),
    resolved(""),
  ),
  comingOut(
    file("path below etc", (text) => ({ path: `/etc/hostile/${text}` })),
    resolved("/etc/hostile/"),
  ),
  comingOut(
    file("path elsewhere", (text) => ({ path: `/opt/${text}` })),
    resolved("/opt/"),
  ),
  file("content", (content) => ({ content })),
  file("content elsewhere", (content) => ({ path: "/opt/hostile", content })),
  file("content secret", (content) => ({ content, permissions: "0600" })),
  file("content added", (content) => ({ path: "/opt/added", content, append: true })),
  file("content deferred", (content) => ({ path: "/opt/later", content, defer: true })),
  file("permissions", (permissions) => ({ permissions })),
  comingOut(
    file("owner", (owner) => ({ owner })),
    owners,
  ),
  comingOut(
    file("owner group", (text) => ({ owner: `root:${text}` })),
    owners,
  ),
  file("encoding", (encoding) => ({ encoding })),
  comingOut(
    file("base", (text) => ({ content: Buffer.from(text).toString("base64"), encoding: "b64" })),
    (text) => [text.toWellFormed()],
  ),
  file("source", (uri) => ({ source: { uri } })),
  item("runcmd", "line", plain),
  item("runcmd", "word", (text) => ["echo", text]),
  item("bootcmd", "line", plain),
  item("bootcmd", "word", (text) => ["echo", text]),
  item("mounts", "device", (text) => [text, "/mnt/hostile", "nfs"]),
  comingOut(
    item("mounts", "path", (text) => ["/dev/vdb1", `/mnt/${text}`]),
    (text) => [`/mnt/${text}`.replaceAll(/\/+/g, "/").replace(/\/$/, "")],
  ),
  comingOut(
    item("mounts", "options", (text) => ["/dev/vdb1", "/mnt/options", "ext4", text]),
    names,
  ),
  item("mounts", "type", (text) => ["/dev/vdb1", "/mnt/type", text]),
  top("swap", (filename) => ({ filename: `/${filename}`, size: "1G" })),
  item("fs_setup", "label", (label) => ({ device: "/dev/vdc1", filesystem: "ext4", label })),
  top("disk_setup", (text) => ({ [text]: { layout: true } })),
  top("apt", (proxy) => ({ proxy })),
  top("rsyslog", (content) => ({ configs: [content], remotes: { [content]: content } })),
  top("ca_certs", (text) => ({ trusted: [text] })),
  top("wireguard", (text) => ({
    interfaces: [{ name: "wg0", content: text }],
    readinessprobe: [text],
  })),
  top("ansible", (url) => ({ pull: { url, playbook_names: [url] } })),
  comingOut(
    top("puppet", (text) => ({ conf: { agent: { server: text } } })),
    (text) => [text.replaceAll(/[\r\n]+/g, " ")],
  ),
  comingOut(
    top("salt_minion", (text) => ({ conf: { id: text, [text]: 1 } })),
    (text) => [JSON.stringify(text).slice(1, -1)], // its file is JSON
  ),
  top("lxd", (text) => ({ init: { storage_pool: text }, bridge: { mode: "new", name: text } })),
  top("drivers", (version) => ({ nvidia: { "license-accepted": true, version } })),
  top("phone_home", (url) => ({ url })),
  { at: ["mapping"], name: "unknown key", value: (text) => ({ [text]: text }) },
  top("chpasswd", (text) => ({ users: [{ name: text, password: text }] })),
  top("ssh_keys", (text) => ({ ed25519_private: text })),
];

/** A document with the names that cloud-config has, and one with the spec's own part as well. */
export const fieldSets: Readonly<Record<string, readonly Field[]>> = {
  "cloud-config": [top("fqdn"), ...common],
  "cloud-config with a part of the spec": [
    top("hostname"),
    own("domain"),
    own("packages", (text) => [text]),
    own("options", (text) => ({
      "environment.variables.HOSTILE": text,
      [`environment.etc.hostile-key.${text}`]: true,
    })),
    own("files", (content) => [
      { path: "/etc/own", content },
      { path: "/opt/own", content, mode: "0600" },
    ]),
    own("units", (text) => ({ "hostile.service": { description: text } })),
    own("hosts", (text) => ({ "192.0.2.1": [text] })),
    own("resolver", (text) => ({ servers: [text], search: [text] })),
    own("certificates", (text) => [text]),
    own("mounts", (text) => [{ device: text, path: `/mnt/${text}`, type: text, options: [text] }]),
    own("health", (text) => ({ checks: [{ type: "command", command: [text] }] })),
    own("templates", (text) => [{ name: "docker-host", parameters: { users: [text] } }]),
    own("report", (text) => ({ mqtt: { host: text, username: text, password: text } })),
    own("commands", (script) => [{ name: "own", when: "late", frequency: "once", script }]),
  ],
  // apart from the others, because hashing a password takes its time
  "cloud-config with passwords and messages": [
    comingOut(user("plain_text_passwd", plain), () => ["$6$"]),
    top("power_state", (message) => ({ mode: "reboot", message })),
    comingOut(top("final_message"), trimmed),
  ],
};

/** How text is written in a document. */
export type Quote = (text: string) => string;

/** As JSON writes it, but for what YAML takes for a line break or does not take at all. */
export const jsonQuote: Quote = (text) =>
  JSON.stringify(text).replaceAll(/[\u007f-\u009f\u2028\u2029\ufeff\ufffe]/g, escapeOf);

/** Everything but letters and digits as an escape of YAML. */
export const yamlQuote: Quote = (text) =>
  `"${Array.from(text, (char) => (/^[A-Za-z0-9]$/.test(char) ? char : escapeOf(char))).join("")}"`;

function escapeOf(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  const hex = (digits: number) => code.toString(16).padStart(digits, "0");
  if (code < 0x100) return `\\x${hex(2)}`;
  return code < 0x10000 ? `\\u${hex(4)}` : `\\U${hex(8)}`;
}

/** A cloud-config with this text in these fields, and in the others what stands there otherwise. */
export function writeDocument(
  fields: readonly Field[],
  textOf: (field: Field) => string | undefined,
  quote: Quote,
): Written {
  const lines = ["#cloud-config"];
  const fieldOf = new Map<number, Field>();
  const open: string[] = [];
  const sorted = fields.toSorted((a, b) => compare(a.at.join("\0"), b.at.join("\0")));
  for (const field of sorted) {
    const text = textOf(field);
    const value = text === undefined ? field.otherwise : field.value(text);
    if (value === undefined) continue;
    const parents = field.at.at(-1)?.endsWith("[]") ? field.at : field.at.slice(0, -1);
    for (const [depth, parent] of parents.entries()) {
      if (open[depth] === parent) continue;
      open.length = depth;
      open.push(parent);
      lines.push(`${"  ".repeat(depth)}${parent.replace("[]", "")}:`);
      if (parent === "users[]") lines.push("  - default");
    }
    open.length = parents.length;
    const head = parents === field.at ? "-" : `${field.at.at(-1)}:`;
    lines.push(`${"  ".repeat(parents.length)}${head} ${flow(value, quote)}`);
    fieldOf.set(lines.length, field);
  }
  return { text: `${lines.join("\n")}\n`, fieldOf };
}

function flow(value: Json, quote: Quote): string {
  if (typeof value === "string") return quote(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((part) => flow(part, quote)).join(", ")}]`;
  const entries = Object.entries(value).map(
    ([name, part]) => `? ${quote(name)} : ${flow(part, quote)}`,
  );
  return `{${entries.join(", ")}}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
