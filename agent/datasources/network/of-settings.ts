import { canonicalJson, type Json } from "#core/canonical-json.ts";
import type { Files } from "#core/io.ts";
import { readYaml } from "#provisioner/userdata/yaml.ts";
import { settingsDocuments } from "../cloud-init-settings.ts";
import { objectIn } from "../clouds/json-values.ts";
import { type LookedAt, meaningOf, silent, unreadable } from "./said-network.ts";

/** `network:` as a key, wherever it stands. */
const mention = /(?:^|[\s{,])["']?network["']?\s*:/;

/** A place of cloud-init's settings that says the network. */
interface Setting {
  readonly where: string;
  readonly text: string;
  readonly network: Json;
}

/**
 * `network` of cloud-init's settings: `cc:` of the kernel's command line, `/etc/cloud/cloud.cfg.d`, the last
 * file first, and `/etc/cloud/cloud.cfg`. Where several say it they are put together as cloud-init does it: keys of
 * mappings are added, and of two values the first counts.
 */
export function networkOfSettings(files: Files): LookedAt {
  const settings: Setting[] = [];
  for (const [where, text] of settingsDocuments(files).toReversed()) {
    if (!mention.test(text)) continue;
    const { value, findings } = readYaml(text, { document: where });
    if (value === undefined) {
      const { line = null, column = null } = findings.find(({ level }) => level === "error") ?? {};
      const message = "it says the network, and is no YAML";
      const hint = "correct it at this place, or remove it";
      return unreadable(where, { message, hint, line, column });
    }
    const network = objectIn(value)["network"];
    if (network !== undefined && network !== null) settings.push({ where, text, network });
  }
  const [first, ...others] = settings;
  if (first === undefined) return silent;
  const network = others.reduce((so, { network }) => merged(so, network), first.network);
  const meaning = meaningOf({ network });
  if (meaning === "nothing") return silent;
  const document = settings.map(({ where }) => where).join(", ");
  if (meaning === "disabled") return { said: { document, bytes: undefined }, findings: [] };
  const text = others.length === 0 ? partOf(first) : undefined;
  const bytes = Buffer.from(text ?? JSON.stringify({ network }));
  return { said: { document, bytes }, findings: [] };
}

/** What is in the first one counts; only mappings are added to. */
function merged(first: Json, other: Json): Json {
  const isMapping = (value: Json) =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isMapping(first) || !isMapping(other)) return first;
  const [mine, theirs] = [objectIn(first), objectIn(other)];
  const both = Object.entries(mine).map(([key, value]) => {
    const more = Object.hasOwn(theirs, key) ? theirs[key] : undefined;
    return [key, more === undefined ? value : merged(value, more)] as const;
  });
  const added = Object.entries(theirs).filter(([key]) => !Object.hasOwn(mine, key));
  return Object.fromEntries([...both, ...added]);
}

/**
 * The part of a text that says the network, in its lines, so that findings name them; `undefined` where
 * it does not stand by itself (in braces, or with aliases of the rest).
 */
function partOf({ where, text, network }: Setting): string | undefined {
  const lines = text.split("\n");
  const start = lines.findIndex((line) => /^["']?network["']?\s*:/.test(line));
  if (start < 0) return undefined;
  const after = lines.findIndex((line, index) => index > start && /^[^\s#}\]-]/.test(line));
  const part = lines.slice(start, after < 0 ? undefined : after);
  const alone = [...lines.slice(0, start).map(() => ""), ...part].join("\n");
  const { value } = readYaml(alone, { document: where });
  return value !== undefined && canonicalJson(value) === canonicalJson({ network })
    ? alone
    : undefined;
}
