import { isIP } from "node:net";
import type { SecretRef } from "#core/secret.ts";
import type { Tunnel, WireguardPeer } from "#generated/provisioner/spec/v1.ts";
import type { SpecDraft } from "../draft.ts";
import type { Input } from "../input.ts";
import { readAddress, readPrefixed, refuse } from "../network-parts.ts";
import {
  flag,
  integerOf,
  type KeyReaders,
  left,
  linkNameOf,
  passedOver,
  readKeys,
  setterFor,
  textOf,
  wordOf,
} from "./keys.ts";

const set = setterFor<Tunnel>();
const setPeer = setterFor<WireguardPeer>();
const port = integerOf(1, 65_535);
const key = /^[A-Za-z0-9+/]{43}=$/;

const modes = [
  ...(["wireguard", "gre", "gretap", "ip6gre", "ip6gretap", "ipip", "ipip6"] as const),
  ...(["ip6ip6", "sit", "vti", "vti6", "vxlan"] as const),
] as const;

/** The kind of a tunnel; without one nothing of it can be made. */
export const tunnelModeOf = wordOf(modes);

/** Keys of a tunnel of version 2 beside those of every interface; its secrets go to the draft. */
export function tunnelReaders(name: string, mode: string, draft: SpecDraft): KeyReaders<Tunnel> {
  const isWireguard = mode === "wireguard";
  const privateKey = (input: Input, tunnel: Tunnel) => {
    const secret = secretKey(input, `network-${name}-private-key`, draft);
    if (secret !== undefined) tunnel.privateKey = secret;
  };
  const textOrKeys = (input: Input, tunnel: Tunnel) => {
    if (!input.isMapping()) return (isWireguard ? privateKey : bothKeys)(input, tunnel);
    return readKeys(input, tunnel, {
      private: privateKey,
      "private-key-flags": passedOver("the key lies in the credential store"),
      input: set("inputKey", tunnelKey),
      output: set("outputKey", tunnelKey),
    });
  };
  return {
    mode: () => undefined, // read before: keys mean something else for each kind
    local: set("local", readAddress),
    remote: set("remote", readAddress),
    ttl: set("ttl", integerOf(1, 255)),
    key: textOrKeys,
    keys: textOrKeys,
    port: isWireguard ? set("listenPort", port) : set("port", port),
    mark: set("mark", integerOf(1, 4_294_967_295)),
    peers: (input, tunnel) => {
      const peers = input
        .items()
        .flatMap((item, index) => readPeer(item, `${name}-peer-${index}`, draft) ?? []);
      if (peers.length > 0) tunnel.peers = peers;
    },
    id: set("id", integerOf(1, 16_777_215)),
    link: set("link", linkNameOf),
    "mac-learning": set("macLearning", flag),
    ...Object.fromEntries(
      [
        ...["ageing", "aging", "limit", "type-of-service", "flow-label", "do-not-fragment"],
        ...["short-circuit", "notifications", "checksums", "extensions", "port-range"],
        "arp-proxy",
      ].map((rare) => [
        rare,
        left(
          "this part of a VXLAN is not translated",
          "say it under `firstlight: options` with systemd.network.netdevs",
        ),
      ]),
    ),
  };
}

function readPeer(input: Input, name: string, draft: SpecDraft): WireguardPeer | undefined {
  const peer: Partial<WireguardPeer> = {};
  readKeys(input, peer as WireguardPeer, {
    keys: (keys, target) =>
      readKeys(keys, target, {
        public: setPeer(
          "publicKey",
          textOf(
            key,
            "a public key of WireGuard in base64",
            "ExampleExampleExampleExampleExampleExample8=",
          ),
        ),
        shared: (shared, into) => {
          const secret = secretKey(shared, `network-${name}`, draft);
          if (secret !== undefined) into.presharedKey = secret;
        },
      }),
    endpoint: setPeer(
      "endpoint",
      textOf(/^\S+:[0-9]{1,5}$/, "a name or address with a port", "vpn.example.org:51820"),
    ),
    "allowed-ips": setPeer("allowedIps", (list) =>
      list.items().flatMap((item) => readPrefixed(item, () => hostBits(item)) ?? []),
    ),
    keepalive: setPeer("keepalive", integerOf(0, 65_535)),
  });
  const { publicKey } = peer;
  if (publicKey !== undefined) return { ...peer, publicKey };
  if (input.isMapping() && input.get("keys")?.get("public") === undefined)
    refuse(
      input,
      "a peer of WireGuard lacks its public key under `keys`",
      "write `keys: {public: …}`, which `wg pubkey` prints",
    );
  return undefined;
}

function hostBits(item: Input): number {
  return isIP(item.scalarText()) === 6 ? 128 : 32;
}

/** A key of WireGuard is a secret; one that lies in a file of the machine is no part of a document. */
function secretKey(input: Input, name: string, draft: SpecDraft): SecretRef | undefined {
  if (typeof input.value === "string" && input.value.startsWith("/")) {
    left(
      "a key in a file of the machine is not read",
      "write the key itself here; firstlight keeps it in the credential store",
    )(input);
    return undefined;
  }
  const text = input.text();
  if (text === undefined) return undefined;
  return key.test(text)
    ? draft.secret(name, text)
    : refuse(input, "expected a key of WireGuard: 32 bytes in base64", "make one with `wg genkey`");
}

/** One key for both ways. */
function bothKeys(input: Input, tunnel: Tunnel): void {
  const text = tunnelKey(input);
  if (text === undefined) return;
  tunnel.inputKey = text;
  tunnel.outputKey = text;
}

/** A number, or one in the form of an address of IPv4. */
function tunnelKey(input: Input): string | undefined {
  if (typeof input.value === "number") {
    const number = integerOf(0, 4_294_967_295)(input);
    return number === undefined ? undefined : String(number);
  }
  return textOf(
    /^([0-9]{1,10}|[0-9]{1,3}(\.[0-9]{1,3}){3})$/,
    "a number, or one in the form of an address",
    "1234",
  )(input);
}
