import type { Input } from "../input.ts";
import { isPublicKeyLine } from "../public-key-line.ts";
import type { TranslationContext } from "../translation.ts";
import { readUtf8 } from "../utf8-text.ts";
import { keyLines } from "./authorized-keys.ts";
import { sourcesLimit } from "./sources-limit.ts";

const maxBytes = 256 * 1024;

/** Where services hand out the keys of an account, by the letters before its name; `lp` without them. */
const services: Readonly<Record<string, (account: string) => string>> = {
  gh: (account) => `https://github.com/${account}.keys`,
  lp: (account) => `https://launchpad.net/~${account}/+sshkeys`,
};

/** The address of what `ssh_import_id` names; `undefined` for what names no account. */
export function importAddress(id: string): string | undefined {
  const [, service = "lp", account] =
    /^(?:(gh|lp):)?([A-Za-z0-9][A-Za-z0-9._+-]{0,99})$/.exec(id) ?? [];
  return account === undefined ? undefined : services[service]?.(encodeURIComponent(account));
}

/** Whether an address is one that {@link importAddress} gives. */
export function isImportAddress(url: string): boolean {
  return /^https:\/\/(github\.com\/[^/]+\.keys|launchpad\.net\/~[^/]+\/\+sshkeys)$/.test(url);
}

/**
 * Keys of the accounts that `ssh_import_id` names, read beforehand. An account whose keys are not
 * there is an error: without them a later boot would take away those that it has.
 */
export function readImported(
  input: Input | undefined,
  context: TranslationContext,
): readonly string[] {
  if (input === undefined) return [];
  const isList = input.isList() || typeof input.value !== "object";
  if (!isList) input.expected("a list of accounts", "write it as `[gh:NAME, lp:NAME]`");
  const ids = isList ? input.names() : [];
  return [...new Set(ids.flatMap(([id, at]) => keysOf(id, at, context)))];
}

function keysOf(
  id: string,
  at: Input,
  { fetched, beyondLimits }: TranslationContext,
): readonly string[] {
  const address = importAddress(id);
  if (address === undefined) {
    at.unsupported({
      code: "cloud-config/unknown-value",
      message: "this names no account whose keys could be read",
      hint: "known are gh:NAME (GitHub) and lp:NAME (Launchpad)",
    });
    return [];
  }
  at.mark("agent");
  const bytes = fetched.get(address);
  if (bytes === undefined && beyondLimits?.has(address) === true) {
    at.add("error", sourcesLimit);
    return [];
  }
  if (bytes === undefined) {
    at.add("error", {
      code: "cloud-config/source-unavailable",
      message: "the keys of this account could not be read",
      hint: "check its name and the network, or put the keys under `ssh_authorized_keys`",
    });
    return [];
  }
  const text = bytes.length > maxBytes ? undefined : readUtf8(bytes).text;
  const keys = keyLines([text ?? ""]).filter(isPublicKeyLine);
  if (keys.length === 0) {
    const message = "this account has no ssh keys";
    at.add("warning", { code: "cloud-config/not-a-key", message, hint: "check the name" });
  }
  return keys;
}
