import type { Ntp } from "#generated/provisioner/spec/v1.ts";
import type { SpecDraft } from "../draft.ts";
import type { Input } from "../input.ts";
import { openPort, setOption } from "./spec-option.ts";

type Client = NonNullable<Ntp["client"]>;

const ntpPort = 123;
const network = /^[0-9A-Fa-f.:]+(?:\/[0-9]{1,3})?$/;
const host = /^[0-9A-Za-z_][0-9A-Za-z.:_-]*$/;

/** What a client that serves others too writes for a peer, and for a network that may ask it. */
const servers: Readonly<
  Partial<Record<Client, Record<"peers" | "allow", (name: string) => string>>>
> = {
  chrony: { peers: (name) => `peer ${name}\n`, allow: (name) => `allow ${name}\n` },
  ntpd: {
    peers: (name) => `peer ${name}\n`,
    allow: (name) => `restrict ${asMask(name)} nomodify notrap\n`,
  },
};
const options = {
  chrony: "services.chrony.extraConfig",
  ntpd: "services.ntp.extraConfig",
} as const;

/**
 * `peers` and `allow` of the section as lines for its client. Answers the client that is taken for
 * them, where none was named: chrony.
 */
export function addNtpServing(
  input: Input,
  named: Client | undefined,
  draft: SpecDraft,
): Client | undefined {
  const peers = readNames(input.get("peers"), host, [
    "a host name or an address",
    "ntp1.example.org",
  ]);
  const allowed = readNames(input.get("allow"), network, ["a network", "192.0.2.0/24"]);
  if (peers.length + allowed.length === 0) return undefined;
  const isFree = named === undefined || named === "auto";
  const client = isFree ? "chrony" : named;
  const serving = servers[client];
  if (serving === undefined || (client !== "chrony" && client !== "ntpd")) {
    for (const key of ["peers", "allow"]) input.get(key)?.unsupported(ofClientsAlone);
    return undefined;
  }
  const lines = [...peers.map(serving.peers), ...allowed.map(serving.allow)];
  const first = input.get("peers") ?? input.get("allow") ?? input;
  setOption(draft, options[client], lines.join(""), first);
  if (allowed.length > 0)
    openPort(draft, { protocol: "udp", port: ntpPort }, input.get("allow") ?? first);
  if (!isFree) return undefined;
  first.add("note", {
    code: "cloud-config/ntp-client",
    message:
      "chrony is taken: the client that NixOS has by itself answers nobody, and has no peers",
    hint: "name it in `ntp_client` to silence the note",
  });
  return client;
}

const ofClientsAlone = {
  code: "cloud-config/unsupported-key",
  message: "this client has no peers here, and answers no other machine",
  hint: "take chrony with `ntp_client`",
} as const;

function readNames(
  list: Input | undefined,
  form: RegExp,
  [what, example]: readonly [string, string],
): readonly string[] {
  const names = new Set<string>();
  for (const item of list?.items() ?? []) {
    const name = item.text();
    if (name === undefined) continue;
    if (form.test(name)) names.add(name);
    else item.expected(what, `write it like \`- ${example}\``, "something else");
  }
  return [...names];
}

/** ntpd takes a network as its address and a mask; IPv6 has one of as many bits. */
function asMask(name: string): string {
  const [address = "", length] = name.split("/");
  if (length === undefined) return address;
  const bits = Number(length);
  return address.includes(":")
    ? `${address} mask ${mask(bits, 8, 16)
        .map((part) => part.toString(16))
        .join(":")}`
    : `${address} mask ${mask(bits, 4, 8).join(".")}`;
}

function mask(bits: number, parts: number, width: number): readonly number[] {
  return Array.from({ length: parts }, (_, index) => {
    const set = Math.min(width, Math.max(0, bits - index * width));
    return 2 ** width - 2 ** (width - set);
  });
}
