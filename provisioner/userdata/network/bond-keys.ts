import type { Bond, Bridge } from "#generated/provisioner/spec/v1.ts";
import type { Input } from "../input.ts";
import { refuse } from "../network-parts.ts";
import { setOwn } from "../own-key.ts";
import {
  flag,
  integerOf,
  type KeyReaders,
  linkNameOf,
  macOf,
  namesOf,
  readKeys,
  secondsOf,
  setterFor,
  timeOf,
  wordOf,
} from "./keys.ts";

type BondParameters = NonNullable<Bond["parameters"]>;
type BridgeParameters = NonNullable<Bridge["parameters"]>;

const setBond = setterFor<Bond>();
const setBridge = setterFor<Bridge>();
const ofBond = setterFor<BondParameters>();
const ofBridge = setterFor<BridgeParameters>();
const byte = integerOf(0, 255);

/** The kernel's modes with their numbers (Documentation/networking/bonding.rst). */
const modes = [
  ...(["balance-rr", "active-backup", "balance-xor", "broadcast"] as const),
  ...(["802.3ad", "balance-tlb", "balance-alb"] as const),
] as const;
const byNumber = <T extends string>(words: readonly T[]): Record<string, T> =>
  Object.fromEntries(words.map((word, index) => [String(index), word]));
const numbered = <T extends string>(words: readonly T[]) => wordOf(words, byNumber(words));

/** What `parameters` of a bond may say, by the names of version 2. */
export const bondParameterReaders: KeyReaders<BondParameters> = {
  mode: ofBond("mode", numbered(modes)),
  "lacp-rate": ofBond("lacpRate", numbered(["slow", "fast"])),
  "mii-monitor-interval": ofBond("miiMonitorInterval", timeOf("ms")),
  "min-links": ofBond("minLinks", integerOf(0, 4_294_967_295)),
  "transmit-hash-policy": ofBond(
    "transmitHashPolicy",
    wordOf(["layer2", "layer2+3", "layer3+4", "encap2+3", "encap3+4"], {
      ...{ 0: "layer2", 1: "layer3+4", 2: "layer2+3", 3: "encap2+3", 4: "encap3+4" },
    }),
  ),
  "ad-select": ofBond("adSelect", numbered(["stable", "bandwidth", "count"])),
  "ad-actor-system": ofBond("adActorSystem", macOf),
  "ad-actor-system-priority": ofBond("adActorSystemPriority", integerOf(1, 65_535)),
  "ad-user-port-key": ofBond("adUserPortKey", integerOf(0, 1023)),
  "all-members-active": ofBond("allMembersActive", flag),
  "all-slaves-active": ofBond("allMembersActive", flag),
  "arp-interval": ofBond("arpInterval", timeOf("ms")),
  "arp-ip-targets": ofBond("arpIpTargets", targetsOf),
  "arp-validate": ofBond("arpValidate", numbered(["none", "active", "backup", "all"])),
  "arp-all-targets": ofBond("arpAllTargets", numbered(["any", "all"])),
  "up-delay": ofBond("upDelay", timeOf("ms")),
  "down-delay": ofBond("downDelay", timeOf("ms")),
  "fail-over-mac-policy": ofBond("failOverMacPolicy", numbered(["none", "active", "follow"])),
  "gratuitous-arp": ofBond("gratuitousArp", byte),
  "gratuitious-arp": ofBond("gratuitousArp", byte), // netplan's first spelling
  "packets-per-member": ofBond("packetsPerMember", integerOf(0, 65_535)),
  "packets-per-slave": ofBond("packetsPerMember", integerOf(0, 65_535)),
  primary: ofBond("primary", linkNameOf),
  "primary-reselect-policy": ofBond(
    "primaryReselectPolicy",
    numbered(["always", "better", "failure"]),
  ),
  "resend-igmp": ofBond("resendIgmp", byte),
  "learn-packet-interval": ofBond("learnPacketInterval", timeOf("s")),
};

/** What `parameters` of a bridge may say, by the names of version 2. */
export const bridgeParameterReaders: KeyReaders<BridgeParameters> = {
  stp: ofBridge("stp", flag),
  priority: ofBridge("priority", integerOf(0, 65_535)),
  "ageing-time": ofBridge("ageingSeconds", secondsOf),
  "aging-time": ofBridge("ageingSeconds", secondsOf),
  "forward-delay": ofBridge("forwardDelaySeconds", secondsOf),
  "hello-time": ofBridge("helloSeconds", secondsOf),
  "max-age": ofBridge("maxAgeSeconds", secondsOf),
  "path-cost": ofBridge("pathCost", (input) => byInterface(input, integerOf(1, 65_535))),
  "port-priority": ofBridge("portPriority", (input) => byInterface(input, integerOf(0, 63))),
};

/** Keys of a bond of version 2 beside those of every interface. */
export const bondReaders: KeyReaders<Bond> = {
  interfaces: setBond("interfaces", namesOf),
  parameters: (input, bond) => {
    bond.parameters ??= {};
    readKeys(input, bond.parameters, bondParameterReaders);
  },
};

/** Keys of a bridge of version 2 beside those of every interface. */
export const bridgeReaders: KeyReaders<Bridge> = {
  interfaces: setBridge("interfaces", namesOf),
  parameters: (input, bridge) => {
    bridge.parameters ??= {};
    readKeys(input, bridge.parameters, bridgeParameterReaders);
  },
};

function byInterface(
  input: Input,
  read: (input: Input) => number | undefined,
): Record<string, number> | undefined {
  if (!input.isMapping()) {
    input.expected("a mapping of interfaces to numbers");
    return undefined;
  }
  const numbers: Record<string, number> = {};
  for (const [name, value] of input.entries()) {
    const number = read(value);
    if (number !== undefined) setOwn(numbers, name, number);
  }
  if (input.entries().length === 0) input.mark("translated");
  return numbers;
}

function targetsOf(input: Input): string[] | undefined {
  const targets = input.oneOrMoreTexts().flatMap((text) => text.split(/[\s,]+/).filter(Boolean));
  const isFit = targets.every((target) => /^[0-9]{1,3}(\.[0-9]{1,3}){3}$/.test(target));
  return isFit
    ? targets
    : refuse(input, "expected addresses of IPv4", "write them as `[192.0.2.1, 192.0.2.2]`");
}
