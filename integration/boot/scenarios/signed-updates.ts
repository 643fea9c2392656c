import { lan } from "../network.ts";
import type { Scenario } from "../scenario.ts";
import { seed } from "./documents.ts";

/** What a release says of the machine; its network stays what its cloud says. */
const spec = (motd: string, publicKey: string) => ({
  version: 1,
  files: [{ path: "/etc/motd", content: `${motd}\n`, mode: "0644" }],
  users: { root: { authorizedKeys: [publicKey] } },
  health: {
    ...{ passes: 1, interval: "200ms", timeout: "3s" },
    checks: [
      { type: "tcp", host: lan.gateway, port: 1883, timeout: "2s" },
      { type: "command", command: ["/bin/sh", "-c", "grep -q 'of the fleet' /etc/motd"] },
    ],
  },
  report: { fleet: "boots", node: "edge-1", mqtt: { host: lan.gateway, port: 1883 } },
});

/** A machine of a fleet takes what the fleet signs, by the units as they ship, and nothing else. */
export const signedUpdates: Scenario = {
  name: "updates that the fleet signs",
  container: { isOfFleet: true },
  steps: ({ publicKey, pace }) => [
    { why: "a seed", insert: seed({ motd: "of the cloud", publicKey, pace }) },
    { why: "the machine is switched on", power: "on" },
    {
      why: "its first generation is committed",
      says: "boot.finished",
      with: { outcome: "committed", generation: 2 },
    },
    { why: "the fleet hears of it", hears: "boot.finished", with: { outcome: "committed" } },

    { why: "a release is pushed", assigns: "u-1", spec: spec("of the fleet", publicKey) },
    { why: "it is received", hears: "update.changed", with: { updateId: "u-1", to: "RECEIVED" } },
    { why: "and verified", hears: "update.changed", with: { updateId: "u-1", to: "VERIFYING" } },
    {
      why: "built, tried and committed",
      tells: "update.changed",
      when: { updateId: "u-1", to: "SUCCEEDED" },
    },
    {
      why: "the fleet hears of it",
      hears: "boot.finished",
      with: { outcome: "committed", generation: 3 },
    },
    { why: "a person logs in by key", ssh: ["cat", "/etc/motd"], prints: "of the fleet\n" },

    {
      why: "a release whose checks fail",
      assigns: "u-2",
      spec: spec("not healthy", publicKey),
    },
    {
      why: "it is tried and taken back",
      tells: "update.changed",
      when: { updateId: "u-2", from: "ROLLING_BACK", to: "ROLLED_BACK" },
    },
    {
      why: "the fleet hears why",
      hears: "boot.finished",
      with: { outcome: "rolled-back", generation: 3, message: /command/ },
    },
    { why: "the machine is what it was", ssh: ["cat", "/etc/motd"], prints: "of the fleet\n" },
    {
      why: "the release is held back on this machine",
      run: ["firstlight", "history", "--json"],
      prints: /"denied": \[\s*\{/,
    },

    { why: "somebody publishes the first update again", replays: "u-1" },
    { why: "it is refused", hears: "desired.refused", with: { code: "trust/rollback" } },
    { why: "and nothing was changed", ssh: ["cat", "/etc/motd"], prints: "of the fleet\n" },

    { why: "the machine starts again", power: "reboot" },
    {
      why: "it stays on the release",
      says: "boot.finished",
      with: { outcome: "unchanged", generation: 3 },
    },
    {
      why: "the next good release",
      assigns: "u-3",
      spec: spec("of the fleet, again", publicKey),
    },
    {
      why: "is committed",
      tells: "update.changed",
      when: { updateId: "u-3", to: "SUCCEEDED" },
    },
    { why: "and runs", ssh: ["cat", "/etc/motd"], prints: "of the fleet, again\n" },
    { why: "the machine is switched off", power: "off" },
  ],
};
