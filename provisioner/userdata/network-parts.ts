import { isIP } from "node:net";
import type { Network, Route } from "#generated/provisioner/spec/v1.ts";
import type { SpecDraft } from "./draft.ts";
import type { Input } from "./input.ts";
import { getOwn, setOwn } from "./own-key.ts";

/** Sets a key where there is a value. */
export function put<T extends object, K extends keyof T>(
  target: T,
  key: K,
  value: T[K] | undefined,
): void {
  if (value !== undefined) target[key] = value;
}

/** The kinds of interfaces of the spec. */
export type LinkKind = Exclude<keyof Network, "renderer">;

/** Adds an interface; one that the user-data has described stays as it is there. */
export function addLink<K extends LinkKind>(
  draft: SpecDraft,
  at: { readonly kind: K; readonly name: string; readonly input: Input },
  link: NonNullable<Network[K]>[string],
): void {
  const { kind, name, input } = at;
  const before = kindOf(draft, name);
  if (before === undefined) {
    draft.spec.network ??= {};
    draft.spec.network[kind] ??= {} as NonNullable<Network[K]>;
    setOwn(draft.spec.network[kind] as Record<string, object>, name, link);
    return draft.origin(["network", kind, name], input);
  }
  if (draft.originOf(["network", before, name], "value")?.document === input.origin().document) {
    return input.add("error", {
      code: "network/invalid",
      message: "an interface of this name stands above already",
      hint: "keep one of them",
    });
  }
  input.unsupported(
    {
      code: "network/overridden",
      message: "the user-data describes this interface, and that counts",
    },
    "note",
  );
}

/** Where an interface of this name stands in the spec. */
export function kindOf({ spec }: SpecDraft, name: string): LinkKind | undefined {
  const { renderer: _, ...links } = spec.network ?? {};
  const kinds = Object.entries(links) as [LinkKind, object][];
  return kinds.find(
    ([, links]) => getOwn(links as Record<string, object>, name) !== undefined,
  )?.[0];
}

/** The default route through a gateway. */
export function gatewayRoute(input: Input | undefined): readonly Route[] {
  const via = readAddress(input);
  return via === undefined ? [] : [{ to: "default", via }];
}

/** An address without a prefix length, for example of a gateway. */
export function readAddress(input: Input | undefined): string | undefined {
  const address = input?.text();
  if (input === undefined || address === undefined) return undefined;
  return isIP(address) === 0
    ? refuse(
        input,
        "expected an address of IPv4 or IPv6",
        "write it without a prefix length, as `192.0.2.1` or `2001:db8::1`",
      )
    : address;
}

/**
 * The address of a name server, with what systemd takes beside it: `192.0.2.53:5353`,
 * `[2001:db8::53]:853%eth0#dns.example.org` (resolved.conf(5), `DNS=`).
 */
export function readNameServer(input: Input): string | undefined {
  const text = input.text();
  if (text === undefined || isNameServer(text)) return text;
  return refuse(
    input,
    "expected the address of a name server",
    "write an address of IPv4 or IPv6, such as `192.0.2.53`",
  );
}

function isNameServer(text: string): boolean {
  const [, inBrackets, four, plain = ""] =
    /^(?:\[([^\]]*)\](?::[0-9]+)?|([0-9.]+):[0-9]+|([^#%[\]]*))(?:%[0-9A-Za-z_.-]+)?(?:#[0-9A-Za-z._-]+)?$/.exec(
      text,
    ) ?? [];
  return isIP(inBrackets ?? four ?? plain) !== 0;
}

/** `192.0.2.10/24`; where a prefix length may stand elsewhere, `lengthOf` says it. */
export function readPrefixed(
  input: Input,
  lengthOf?: () => number | undefined,
): string | undefined {
  const text = input.text();
  if (text === undefined) return undefined;
  const [address = "", written, ...rest] = text.split("/");
  const family = isIP(address);
  if (family === 0 || rest.length > 0) {
    return refuse(
      input,
      "expected an address with a prefix length, such as 192.0.2.10/24",
      "write it as `192.0.2.10/24` or `2001:db8::10/64`",
    );
  }
  const length = written === undefined ? lengthOf?.() : prefixLength(written);
  const most = family === 4 ? 32 : 128;
  if (length === undefined || length > most) {
    const isMissing = written === undefined && lengthOf === undefined;
    const message = isMissing
      ? "this address lacks the length of its prefix"
      : `expected a prefix length of at most ${most}, or a netmask without holes`;
    return refuse(
      input,
      message,
      family === 4 ? "write it like `192.0.2.10/24`" : "write it like `2001:db8::10/64`",
    );
  }
  return `${address}/${length}`;
}

/** `192.0.2.10/24` as it is; `undefined` for what is no address with a prefix length. */
export function parsePrefixed(text: string): string | undefined {
  const [address = "", length = "", ...rest] = text.split("/");
  const most = isIP(address) === 4 ? 32 : 128;
  const fits = isIP(address) !== 0 && /^[0-9]{1,3}$/.test(length) && rest.length === 0;
  return fits && Number(length) <= most ? text : undefined;
}

/** The destination of a route: `default` for the whole of the family that its gateway tells. */
export function routeTarget(prefixed: string, via: string | undefined): string {
  return via !== undefined && /^(0\.0\.0\.0|::)\/0$/.test(prefixed) ? "default" : prefixed;
}

/** Bits of a netmask: a number, or a mask in the form of an address; `undefined` when it has holes. */
export function prefixLength(netmask: string): number | undefined {
  if (/^[0-9]{1,3}$/.test(netmask)) return Number(netmask);
  const family = isIP(netmask);
  if (family === 0) return undefined;
  const bits = family === 4 ? bitsOf(netmask.split("."), 10, 8) : bitsOf(groupsOf(netmask), 16, 16);
  return /^1*0*$/.test(bits) ? bits.lastIndexOf("1") + 1 : undefined;
}

/** Says that a value is no part of a network; nothing of it is used. */
export function refuse(input: Input, message: string, hint: string): undefined {
  input.mark("unsupported");
  input.add("error", { code: "network/invalid", message, hint });
}

/** Names a part of the network config that nothing has read. */
export function notTranslated(input: Input): void {
  input.unsupported({
    code: "network/unsupported",
    message: "this part of the network config is not translated",
    hint: "say it under `firstlight: options` with systemd.network",
  });
}

function bitsOf(parts: readonly string[], base: number, width: number): string {
  return parts.map((part) => Number.parseInt(part, base).toString(2).padStart(width, "0")).join("");
}

/** The eight groups of an address of IPv6 without an embedded one of IPv4. */
function groupsOf(address: string): readonly string[] {
  const [head = "", tail] = address.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  return [...before, ...Array(Math.max(0, 8 - before.length - after.length)).fill("0"), ...after];
}
