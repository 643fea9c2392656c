import type { Input } from "../input.ts";
import type { CloudConfigModule, ModuleInput } from "./module.ts";
import { quoted } from "./own-command.ts";
import { addHook, inBackground } from "./own-hook.ts";

const kinds = ["rsa", "ecdsa", "ed25519"];
const fields = [...kinds.map((kind) => `pub_key_${kind}`), "instance_id", "hostname", "fqdn"];
const defaultTries = 10;
const maxTries = 100;

/** `phone_home`: a form that is posted when the instance is up. */
export const phoneHome: CloudConfigModule = {
  name: "phone_home",
  keys: ["phone_home"],
  rule:
    "Posts a form with what `post` lists (`all`: the public host keys, `instance_id`, `hostname` and `fqdn`) to `url`, in which " +
    "`$INSTANCE_ID` is the instance's. It is done after the first commit of an instance, so that a machine that took its change " +
    "back does not call, by a program without privileges, three seconds between two tries. What the " +
    "machine does not have is `N/A`. An address of `http:` is warned of.",
  example:
    "phone_home:\n  url: https://example.org/$INSTANCE_ID/\n  post: [hostname, pub_key_ed25519]\n  tries: 5\n",
  translate(module) {
    const input = module.config.get("phone_home");
    if (input === undefined) return;
    if (!input.isMapping()) return input.expected("a mapping with `url`");
    const posted = readPost(input.get("post"));
    const tries = readTries(input.get("tries"));
    const url = readUrl(input, module);
    if (url === undefined || posted === undefined) return;
    addHook(module, {
      name: "phone-home",
      at: input,
      lines: inBackground("phone-home", script(url, posted, tries, module)),
    });
    for (const [key, value] of input.entries()) {
      if (["url", "post", "tries"].includes(key)) value.mark("agent");
    }
  },
};

function readUrl(input: Input, { context }: ModuleInput): string | undefined {
  const urlInput = input.get("url");
  if (urlInput === undefined) {
    if (!input.has("url")) {
      input.mark("unsupported");
      input.add("error", {
        code: "user-data/wrong-type",
        message: "expected a mapping with `url`",
        hint: "write `url: https://example.org/` below it",
      });
    }
    return undefined;
  }
  const text = urlInput.text();
  if (text === undefined) return undefined;
  const id = encodeURIComponent(context.instanceId ?? "");
  const url = text
    .trim()
    .replace(/\$INSTANCE_ID\b|\$\{INSTANCE_ID\}|\{\{ *INSTANCE_ID *\}\}/g, () => id);
  const parsed = /^https?:\/\//.test(url) && !/[\s"\\]/.test(url) ? URL.parse(url) : null;
  if (parsed === null) {
    urlInput.expected(
      "an address that begins with https: or http:",
      "write `url: https://example.org/$INSTANCE_ID`",
      "another text",
    );
    return undefined;
  }
  if (parsed.protocol === "http:") {
    urlInput.add("warning", {
      code: "cloud-config/plain-http",
      message: "what is posted, and to whom, can be changed on its way",
      hint: "use https",
    });
  }
  return url;
}

/** The fields of the form; `undefined` for what says none. */
function readPost(input: Input | undefined): readonly string[] | undefined {
  if (input === undefined) return fields;
  if (input.value === "all") {
    input.mark("translated");
    return fields;
  }
  if (!input.isList()) {
    input.expected("`all`, or a list of fields", "write `all`, or `[hostname, instance_id]`");
    return undefined;
  }
  return [...new Set(input.items().flatMap((item) => readField(item) ?? []))];
}

function readField(item: Input): string | undefined {
  const name = item.text();
  if (name === undefined || fields.includes(name)) return name;
  const hint = `known are ${fields.join(", ")}`;
  item.unsupported({ code: "cloud-config/unknown-value", message: "no field of this name", hint });
  return undefined;
}

function readTries(input: Input | undefined): number {
  const tries = input?.integer();
  if (input === undefined || tries === undefined) return defaultTries;
  if (tries >= 1 && tries <= maxTries) return tries;
  const message = `so many tries are not made; it is ${tries < 1 ? 1 : maxTries}`;
  const hint = `write a number from 1 to ${maxTries}`;
  input.add("warning", { code: "cloud-config/overridden", message, hint });
  return tries < 1 ? 1 : maxTries;
}

/** Address and form reach curl by its standard input: what they say stands in no list of processes. */
function script(
  url: string,
  posted: readonly string[],
  tries: number,
  { draft, context }: ModuleInput,
): readonly string[] {
  const { domain } = draft.spec;
  const values: Readonly<Record<string, string>> = {
    instance_id: quoted(context.instanceId ?? ""),
    hostname: '"$host"',
    fqdn: domain === undefined ? '"$host"' : `"$host"${quoted(`.${domain}`)}`,
  };
  const calls = posted.map((name) => {
    const kind = name.replace("pub_key_", "");
    return kinds.includes(kind)
      ? `key ${name} /etc/ssh/ssh_host_${kind}_key.pub`
      : `field ${name} ${values[name] ?? "N/A"}`;
  });
  return [
    "read -r host < /proc/sys/kernel/hostname",
    "field() { # name, value: a line of curl's own configuration",
    `  printf 'data-urlencode = "%s=%s"\\n' "$1" "$(printf %s "$2" | sed 's/[\\\\"]/\\\\&/g')"`,
    "}",
    "key() { # name, file",
    `  if [ -r "$2" ]; then printf 'data-urlencode = "%s@%s"\\n' "$1" "$2"; else field "$1" N/A; fi`,
    "}",
    "form() {",
    `  printf 'url = "%s"\\n' ${quoted(url)}`,
    ...(calls.length === 0 ? ["  echo 'data = \"\"'"] : calls.map((call) => `  ${call}`)),
    "}",
    "run=",
    `[ "$(id -u)" = 0 ] && run='setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs'`,
    `form | $run curl --disable --config - --silent --show-error --fail --output /dev/null \\`,
    "  --proto =http,https --connect-timeout 20 --max-time 60 --max-filesize 1048576 \\",
    `  --retry ${tries - 1} --retry-delay 3 --retry-all-errors`,
  ];
}
