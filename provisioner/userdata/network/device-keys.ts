import type { Ethernet, LinkMatch } from "#generated/provisioner/spec/v1.ts";
import type { Input } from "../input.ts";
import {
  deviceMacOf,
  flag,
  type KeyReaders,
  left,
  readKeys,
  setterFor,
  textOf,
  wordOf,
} from "./keys.ts";

const set = setterFor<Ethernet>();
const setMatch = setterFor<LinkMatch>();
type Offload = NonNullable<Ethernet["offload"]>;

const matchReaders: KeyReaders<LinkMatch> = {
  name: setMatch("name", (input) => input.text()),
  macaddress: setMatch("mac", deviceMacOf),
  driver: setMatch("driver", (input) => {
    const drivers = input.oneOrMoreTexts();
    return drivers.length === 0 ? undefined : drivers.join(" ");
  }),
};

/** The name that an interface is to have. */
export const interfaceNameOf = textOf(
  /^[A-Za-z0-9_.-]{1,15}$/,
  "a name of at most 15 letters, digits, `_`, `.` and `-`",
  "lan0",
);

/** How a device is found and called. */
export const findingReaders: KeyReaders<Pick<Ethernet, "match" | "setName">> = {
  match: (input, ethernet) => {
    if (!input.isMapping())
      return input.expected("a mapping with `name`, `macaddress` or `driver`");
    ethernet.match = {};
    readKeys(input, ethernet.match, matchReaders);
  },
  "set-name": set("setName", interfaceNameOf),
};

/** How a device with a cable is found and called, and what it does itself. */
export const deviceReaders: KeyReaders<Ethernet> = {
  ...findingReaders,
  wakeonlan: set("wakeOnLan", flag),
  "infiniband-mode": set("infinibandMode", wordOf(["datagram", "connected"])),
  "receive-checksum-offload": offload("receiveChecksum"),
  "transmit-checksum-offload": offload("transmitChecksum"),
  "tcp-segmentation-offload": offload("tcpSegmentation"),
  "tcp6-segmentation-offload": offload("tcp6Segmentation"),
  "generic-segmentation-offload": offload("genericSegmentation"),
  "generic-receive-offload": offload("genericReceive"),
  "large-receive-offload": offload("largeReceive"),
  ...Object.fromEntries(
    [
      "link",
      "virtual-function-count",
      "embedded-switch-mode",
      "delay-virtual-functions-rebind",
    ].map((key) => [
      key,
      left(
        "SR-IOV is not translated",
        "say it under `firstlight: options` with systemd.network.links",
      ),
    ]),
  ),
};

function offload(key: keyof Offload) {
  return (input: Input, ethernet: Ethernet): void => {
    const value = input.boolean();
    if (value !== undefined) ethernet.offload = { ...ethernet.offload, [key]: value };
  };
}
