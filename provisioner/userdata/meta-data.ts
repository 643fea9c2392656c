import type { Finding } from "#core/finding.ts";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { isMachineName, splitName } from "./machine-name.ts";
import { getOwn } from "./own-key.ts";
import type { TranslationContext } from "./translation.ts";

/**
 * What the meta-data adds to a spec written by hand, which says everything itself: the name where it
 * gives none, and the keys of the default user where it has that user.
 */
export function addMetaData(
  spec: Spec,
  { hostname, publicKeys, defaultUser }: TranslationContext,
  document: string,
): readonly Finding[] {
  const findings: Finding[] = [];
  const say = (level: Finding["level"], code: Finding["code"], message: string, hint: string) => {
    findings.push({ document, path: "", line: null, column: null, level, code, message, hint });
  };
  if (spec.hostname === undefined && hostname !== null && hostname !== "") {
    const name = splitName(hostname);
    if (isMachineName(name)) Object.assign(spec, { ...name, ...pickDomain(spec) });
    else {
      const message = "the name in the meta-data cannot be a host name, and is not used";
      say("warning", "user-data/meta-data-hostname", message, "set `hostname`");
    }
  }
  if (publicKeys.length === 0) return findings;
  const user = getOwn(spec.users ?? {}, defaultUser);
  if (user !== undefined) {
    user.authorizedKeys = [...new Set([...publicKeys, ...(user.authorizedKeys ?? [])])];
  } else {
    const message = `${publicKeys.length} ssh keys of the meta-data are not used`;
    say("note", "user-data/keys-unused", message, `add a user \`${defaultUser}\` to get them`);
  }
  return findings;
}

/** A domain that the spec gives stays. */
function pickDomain({ domain }: Spec): Pick<Spec, "domain"> {
  return domain === undefined ? {} : { domain };
}
