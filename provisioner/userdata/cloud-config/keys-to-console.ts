import type { Input } from "../input.ts";
import type { CloudConfigModule, ModuleInput } from "./module.ts";
import { addCommand, quoted } from "./own-command.ts";

const script = `[ -w /dev/console ] || { echo "there is no console to show the keys on" >&2; exit 1; }
exec > /dev/console
each() { # title, types that are left out, command
  echo "-----BEGIN SSH HOST KEY $1-----"
  for file in /etc/ssh/ssh_host_*_key.pub; do
    [ -r "$file" ] || continue
    read -r type rest < "$file" || true
    case " $2 " in *" $type "*) ;; *) $3 "$file" ;; esac
  done
  echo "-----END SSH HOST KEY $1-----"
}`;

/** `ssh: emit_keys_to_console` and what it leaves out. */
export const keysToConsole: CloudConfigModule = {
  name: "keys_to_console",
  keys: ["ssh", "ssh_fp_console_blacklist", "ssh_key_console_blacklist"],
  rule:
    "With `emit_keys_to_console: true` a command shows the public host keys and their fingerprints on the console, once " +
    "per instance, in the lines by which tools of clouds find them; without a word of it nothing is shown. " +
    "The two lists name types of keys that are left out, such as `ssh-rsa`.",
  example: "ssh:\n  emit_keys_to_console: true\nssh_fp_console_blacklist: [ssh-rsa]\n",
  translate(module) {
    const { config, draft } = module;
    const input = config.get("ssh");
    if (input !== undefined && !input.isMapping()) {
      input.expected("a mapping", "write it as `{ emit_keys_to_console: true }`");
    }
    const emit = input?.get("emit_keys_to_console");
    const wanted = emit?.boolean() === true;
    const [fingerprints, keys] = ["ssh_fp_console_blacklist", "ssh_key_console_blacklist"].map(
      (key) => readTypes(key, wanted, module),
    );
    if (emit === undefined || !wanted) return;
    const lines = [
      script,
      `each FINGERPRINTS ${quoted(fingerprints ?? "")} 'ssh-keygen -lf'`,
      `each KEYS ${quoted(keys ?? "")} cat`,
    ];
    addCommand(draft, { name: "keys-to-console", when: "late", lines, at: emit });
    emit.mark("agent");
  },
};

/** Types of keys with blanks between them. */
function readTypes(key: string, wanted: boolean, { config }: ModuleInput): string {
  const input = config.get(key);
  if (input === undefined) return "";
  const items = typeof input.value === "string" ? [input] : input.items();
  const types = items.flatMap((item) => readType(item) ?? []);
  if (!wanted && types.length > 0) {
    const message = "no keys are shown on the console";
    const hint = "add `ssh: { emit_keys_to_console: true }` to have the others shown";
    input.unsupported({ code: "cloud-config/no-meaning", message, hint }, "note");
  }
  return types.join(" ");
}

function readType(item: Input): string | undefined {
  const type = item.text();
  if (type === undefined || /^[A-Za-z0-9@.-]+$/.test(type)) return type;
  const hint = "write it as it stands in a .pub file: `ssh-rsa`";
  item.unsupported({ code: "cloud-config/unknown-value", message: "no type of a key", hint });
  return undefined;
}
