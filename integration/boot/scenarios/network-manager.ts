import { lan } from "../network.ts";
import type { Scenario } from "../scenario.ts";
import { seed } from "./documents.ts";

const elsewhere = "192.0.2.2";
const profile = "/run/NetworkManager/system-connections/firstlight-lan.nmconnection";

/** An image whose network is NetworkManager's, and a seed that takes it out of its network. */
export const networkManager: Scenario = {
  name: "an image with NetworkManager",
  container: { hasManager: true },
  steps: ({ publicKey, pace }) => [
    {
      why: "a seed with a static network",
      insert: seed({ motd: "the first", publicKey, pace, renderer: "NetworkManager" }),
    },
    { why: "the machine is switched on", power: "on" },
    {
      why: "generation 2 is tried, healthy and committed",
      says: "boot.finished",
      with: { outcome: "committed", generation: 2 },
    },
    { why: "the fleet hears how it ended", hears: "boot.finished", with: { outcome: "committed" } },
    {
      why: "NetworkManager has set the card up, by the profile of the generation",
      run: ["nmcli", "-g", "GENERAL.CONNECTION,IP4.ADDRESS", "device", "show", "host0"],
      prints: `firstlight-lan\n${lan.machine}/24\n`,
    },
    { why: "no systemd-networkd runs", run: ["test", "-e", "/run/systemd/netif/state"], code: 1 },
    { why: "a person logs in by key", ssh: ["cat", "/etc/motd"], prints: "the first\n" },

    { why: "the machine starts again", power: "reboot" },
    {
      why: "nothing has changed",
      says: "boot.finished",
      with: { outcome: "unchanged", generation: 2 },
    },
    { why: "the fleet hears of it", hears: "boot.finished", with: { outcome: "unchanged" } },

    {
      why: "a seed that takes the machine out of its network",
      insert: seed({
        motd: "the second",
        publicKey,
        pace,
        address: `${elsewhere}/24`,
        renderer: "NetworkManager",
      }),
    },
    { why: "the machine starts with it", power: "reboot" },
    {
      why: "with nobody to ask, its trial is taken back",
      says: "boot.finished",
      with: { outcome: "rolled-back", generation: 2, message: /tcp 10\.99\.0\.1 port 1883/ },
    },
    {
      why: "NetworkManager was asked thrice to bring the card up: at the boot, for the trial, and back",
      run: ["journalctl", "--boot", "--output=cat", "--unit=NetworkManager"],
      prints: /(\(host0\): Activation: successful[\s\S]*){3}/,
    },
    { why: "the profile is that of the generation", run: ["cat", profile], prints: lan.machine },
    {
      why: "and so is the address",
      run: ["nmcli", "-g", "GENERAL.CONNECTION,IP4.ADDRESS", "device", "show", "host0"],
      prints: `firstlight-lan\n${lan.machine}/24\n`,
      lacks: new RegExp(elsewhere.replaceAll(".", "\\.")),
    },
    { why: "the machine is back in its network", ssh: ["cat", "/etc/motd"], prints: "the first\n" },
    {
      why: "the fleet hears of it afterwards",
      hears: "trial.finished",
      with: { result: "rolled-back", healthy: false },
    },
    { why: "and how the boot ended", hears: "boot.finished", with: { outcome: "rolled-back" } },
    { why: "the machine is switched off", power: "off" },
  ],
};
