import type { Scenario } from "../scenario.ts";
import { seed } from "./documents.ts";

const network = "/run/systemd/network/10-lan.network";

const doors = ["firstlight-system.socket", "firstlight-courier.socket"] as const;

/** A seed that comes when the bootstrap layer has already looked: played on a container only. */
export const lateSeed: Scenario = {
  name: "late seed",
  steps: ({ publicKey, pace }) => [
    { why: "a machine without a seed", power: "on" },
    { why: "has nothing to bring up", says: "bootstrap.nothing" },
    {
      why: "and does not start the boot",
      shows: /firstlight-boot\.service: Skipped due to 'exec-condition'/,
    },
    { why: "nor a network", run: ["ip", "-4", "route", "show", "default"], prints: /^$/ },
    { why: "and ends that boot", shows: /Startup finished/ },
    {
      why: "says so",
      run: ["firstlight", "status", "--wait", "--ended"],
      prints: "nothing to do: no sign of a datasource\n",
    },
    { why: "reaches what others wait for", run: ["systemctl", "is-active", "cloud-init.target"] },
    { why: "its seed comes late", insert: seed({ motd: "late", publicKey, pace }) },
    { why: "and the boot looks again", run: ["systemctl", "start", "firstlight-boot.service"] },
    {
      why: "it does what the layer could not",
      says: "bootstrap.late",
      with: { network: 1, keys: 1 },
    },
    {
      why: "networkd takes it before anything is built",
      run: ["journalctl", "--unit=systemd-networkd", "--output=cat"],
      prints: `Reconfiguring with ${network}`,
    },
    { why: "the seed's system runs", run: ["firstlight", "status"], prints: /^committed: / },
    { why: "and carries the network itself", run: ["test", "-e", network], code: 1 },
    { why: "a person logs in by key", ssh: ["cat", "/etc/motd"], prints: "late\n" },

    { why: "its seed changes", insert: seed({ motd: "later", publicKey, pace }) },
    {
      why: "and its root side shuts its doors",
      run: ["systemctl", "stop", ...doors, "firstlight-system.service"],
    },
    {
      why: "the boot looks once more",
      run: ["systemctl", "start", "--job-mode=ignore-dependencies", "firstlight-boot.service"],
    },
    { why: "it changes the system itself, in its own sandbox", says: "system.in-process" },
    { why: "as well", run: ["firstlight", "status"], prints: /^committed: generation 3 / },
    { why: "so the new system runs", run: ["cat", "/etc/motd"], prints: "later\n" },
    { why: "the machine is switched off", power: "off" },
  ],
};
