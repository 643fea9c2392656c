import { holdsPrivateKey } from "#core/private-key.ts";
import { addFinding, type Concern } from "./assignment.ts";
import { underSecretName } from "./readable-secrets.ts";

/** Characters that a value under such a name has at least where it is a secret. */
const leastLength = 8;

/** `name = value`, `name: value`, `export NAME=value`: how INI, YAML and environment files are written. */
const setting =
  /^\s*(?:- +)?(?:export +)?(["']?)([A-Za-z][\w.-]{0,99})\1\s*[:=]\s*(?:"([^"]*)"|'([^']*)'|([^\s"'`(){}[\]<>;,|&]+))\s*(?:[,;}].*|#.*)?$/;

/** A member of JSON, wherever in a line. */
const member = /"([^"\\]{1,100})"\s*:\s*"([^"]*)"/g;

/** What tokens of k3s and Rancher look like under any name, or none. */
const token = /(?:^|[\s"'=:])(?:K10[0-9a-f]{64}::\S+|token-[a-z0-9]{5}:[a-z0-9]{50,})/;

/** Values that another program fills in, and words that settings of such names take. */
const placeholder =
  /\$[{(]|^\$[A-Za-z_]\w*$|\{\{|^<.*>$|^@.*@$|^[!&*]|^(.)\1*$|^(?:changeme|disabled|optional|required|undefined)$/i;

/**
 * Warns of files that everybody may read and that hold a secret in a line of their settings. The
 * finding names the line, never what stands in it. Keys in PEM are told where files are placed.
 */
export function warnOfSecretLines(concern: Concern): void {
  for (const [index, { content, mode = "0644" }] of (concern.spec.files ?? []).entries()) {
    const isReadable = (Number.parseInt(mode, 8) & 0o004) !== 0;
    if (content === undefined || !isReadable || holdsPrivateKey(content)) continue;
    const line = lineOfSecret(content);
    if (line === undefined) continue;
    const message = `line ${line} of this file looks like a secret, and everybody may read it, also in the store of this machine`;
    const hint =
      'give it the mode "0600" (`permissions` of `write_files`): it is kept as a secret then';
    addFinding(concern, ["files", String(index)], "warning", "render/readable-key", message, hint);
  }
}

/** The first line, from 1, that sets something to a secret. */
function lineOfSecret(content: string): number | undefined {
  const at = content.split(/\r?\n/).findIndex((line) => !isComment(line) && isSecretLine(line));
  return at < 0 ? undefined : at + 1;
}

function isComment(line: string): boolean {
  return /^\s*(?:#|;|\/\/)/.test(line);
}

function isSecretLine(line: string): boolean {
  if (token.test(line)) return true;
  const [, , name, double, single, plain] = setting.exec(line) ?? [];
  if (isSecretValue(name, double ?? single ?? plain)) return true;
  return [...line.matchAll(member)].some(([, key, value]) => isSecretValue(key, value));
}

function isSecretValue(name: string | undefined, value: string | undefined): boolean {
  if (name === undefined || value === undefined || value.length < leastLength) return false;
  return underSecretName(name, value) && !placeholder.test(value);
}
