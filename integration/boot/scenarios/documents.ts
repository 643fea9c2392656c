import type { Seed } from "../../story.ts";
import { lan, six } from "../network.ts";

/** What tells one seed of the boot stories from another. */
export interface Document {
  /** First line of /etc/motd. */
  readonly motd: string;
  /** Who may log in as root. */
  readonly publicKey: string;
  /** How many times slower than a container the machine may be. */
  readonly pace: number;
  /** Port of the surroundings that must be reached for the system to be healthy; the broker's. */
  readonly port?: number;
  /** At the broker, which takes any; then the link is among the checks. */
  readonly password?: string;
  /** The machine's address with its prefix. */
  readonly address?: string;
  /** Whether it has a second card, in the network of IPv6: then the broker is reached by that one alone. */
  readonly hasSix?: boolean;
  /** What sets its network up (`networkd`). */
  readonly renderer?: "networkd" | "NetworkManager";
  /** NixOS options, one a line. */
  readonly options?: readonly string[];
  /** Further items of its `write_files`. */
  readonly writes?: readonly string[];
  /** Further lines of the cloud-config, and of what firstlight itself is told in it. */
  readonly lines?: readonly string[];
  readonly own?: readonly string[];
}

/** Left by a check of each seed, where no unit of firstlight's own may write. */
export const checkedFile = "/srv/checked";

/** A NoCloud seed of a network without DHCP: everything is said here, or not at all. */
export function seed(document: Document): Seed {
  return {
    instanceId: "i-1",
    userData: userData(document),
    networkConfig: `${networkConfig(document)}${document.hasSix === true ? sixConfig : ""}`,
  };
}

/** User-data of a machine, whatever its network is. */
export function userData(document: Document): string {
  const { motd, publicKey, pace, port = 1883, password, options = [], hasSix = false } = document;
  const broker = hasSix ? `"${six.gateway}"` : lan.gateway;
  const { lines = [], own = [], writes = [] } = document;
  const login = password === undefined ? "" : `, username: edge-1, password: "${password}"`;
  return `#cloud-config
${lines.map((line) => `${line}\n`).join("")}users:
  - name: root
    ssh_authorized_keys: [${JSON.stringify(publicKey)}]
write_files:
  - path: /etc/motd
    content: |
      ${motd}
${writes.map((line) => `  ${line}\n`).join("")}firstlight:
  health:
    passes: 1
    interval: 200ms
    timeout: ${3 * pace}s
    checks:
      - { type: tcp, host: ${broker}, port: ${port}, timeout: 2s }
      - { type: command, command: [/bin/sh, -c, 'of=\${UNSET:-us}; echo "$of" > ${checkedFile}'] }
${password === undefined ? "" : "      - { type: link }\n"}  report:
    fleet: boots
    node: edge-1
    mqtt: { host: ${broker}, port: 1883${login} }
${own.map((line) => `  ${line}\n`).join("")}${options.length === 0 ? "" : `  options:\n${options.map((line) => `    ${line}\n`).join("")}`}`;
}

/**
 * The card is the only one, whatever the kernel of the machine calls it. A laptop's profile would have
 * NetworkManager, which most images do not bring.
 */
function networkConfig({
  address = `${lan.machine}/24`,
  renderer = "networkd",
}: Pick<Document, "address" | "renderer">): string {
  return `version: 2
renderer: ${renderer}
ethernets:
  lan:
    match: { macaddress: "${lan.card}" }
    accept-ra: false
    addresses: [${address}]
    routes: [{ to: default, via: ${lan.gateway} }]
`;
}

const sixConfig = `  six:
    match: { macaddress: "${six.card}" }
    accept-ra: false
    addresses: ["${six.machine}/64"]
    routes: [{ to: default, via: "${six.gateway}" }]
`;
