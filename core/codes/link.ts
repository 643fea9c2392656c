import type { CodeTable } from "./entry.ts";

export const linkCodes = {
  "link/unreachable": {
    means: "The MQTT broker could not be reached.",
    action: "Check address, port, TLS and credentials; events stay in the outbox until then.",
  },
  "link/untrusted": {
    means: "The broker's certificate, or ours, was not accepted, so no connection was made.",
    action:
      "Check the certificate authority in the settings, the broker's name, the validity dates and this machine's clock.",
  },
  "link/refused": {
    means: "The broker answered and refused this node or one of its messages.",
    action:
      "Check user name, password, client id and the broker's access rules for this node's topics.",
  },
  "link/proxy-refused": {
    means: "The proxy on the way to the broker opened no tunnel.",
    action: "Check `report.mqtt.proxy`, and whether the proxy allows CONNECT to the broker's port.",
  },
  "link/lost": {
    means: "The connection to the broker ended while it was in use.",
    action:
      "Nothing to do: the node connects again. If it happens often, look for a second client with the same client id.",
  },
  "link/timeout": {
    means: "The broker did not answer in time.",
    action: "Check the network and the broker's load; the node connects again by itself.",
  },
  "link/session-conflict": {
    means:
      "Another client connected to the broker as this node: two machines with one identity, or two agents.",
    action:
      "Look for the other one (births with another `epoch`). A machine that was cloned needs an identity of its own; until then each of the two connects again, less and less often.",
  },
  "link/overloaded": {
    means: "The broker is too busy, or this node has used up what it may send.",
    action: "Look at the broker's load and quotas; the node waits longer than usual.",
  },
  "link/moved": {
    means: "The broker sends this node to another one.",
    action:
      "It goes there if `report.mqtt.brokers` names that broker, and nowhere else; name it there if it is right.",
  },
  "link/no-answer": {
    means:
      "The root side did not answer about a message from the fleet, so that the message was not acknowledged.",
    action:
      "Look at `systemctl status firstlight-system.socket firstlight-courier.socket` and its journal; the message comes again.",
  },
  "link/message-refused": {
    means:
      "A message for this node was too large, malformed, expired or not of the protocol; it was not acted on.",
    action: "Look at the sender: the message names what does not fit.",
  },
  "link/name-invalid": {
    means: "A fleet, node, event or command name cannot be part of an MQTT topic.",
    action: "Use a name of letters, digits, dots, dashes and underscores.",
  },
  "link/settings-invalid": {
    means: "The settings of the link name a file that is missing or does not fit.",
    action: "Mend `report.mqtt` in the settings; the message names the file.",
  },
  "link/busy": {
    means: "Another process of this node holds the link.",
    action: "Nothing to do if the agent runs; otherwise look for a second agent.",
  },
  "link/outbox-foreign": {
    means: "Root was about to open the outbox of the network side's own user, and did not.",
    action:
      "Nothing to do: the agent sends what waits; look at `systemctl status firstlight-agent`.",
  },
  "link/outbox-failed": {
    means: "The outbox could not be read or written.",
    action: "Check free space, permissions and the disk that holds /var/lib/firstlight-agent.",
  },
  "link/outbox-damaged": {
    means:
      "The outbox was damaged or made by a newer version; it was moved aside and a new one begun.",
    action:
      "Check the disk. The old file lies beside the new one; its unsent events were not sent.",
  },
  "link/event-too-large": {
    means: "An event is larger than the outbox takes.",
    action: "This is a defect of firstlight: please report it.",
  },
} as const satisfies CodeTable;
