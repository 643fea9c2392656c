import { lan } from "../network.ts";
import type { Scenario, Step } from "../scenario.ts";
import { checkedFile, seed } from "./documents.ts";

const bootstrapped = "/run/systemd/network/10-lan.network";
const asksForMetadata = `
const at = "http://${lan.metadata}/latest/";
const ttl = { "x-aws-ec2-metadata-token-ttl-seconds": "60" };
const token = await (await fetch(at + "api/token", { method: "PUT", headers: ttl })).text();
const headers = { "x-aws-ec2-metadata-token": token };
console.log(await (await fetch(at + "meta-data/instance-id", { headers })).text());`;

/** How exposed each unit may be at most: as `systemd-analyze security` has it, times ten. */
const exposures = {
  "firstlight-agent": 20,
  "firstlight-bootstrap": 12,
  "firstlight-boot": 28,
  "firstlight-boot-complete": 5,
  "firstlight-drift": 28,
  "firstlight-first-boot": 16,
  "firstlight-first-boot-deadline": 28,
  "firstlight-first-boot-emergency": 16,
  "firstlight-fleet-commands": 28,
  "firstlight-maintenance": 14,
  "firstlight-update": 28,
} as const;
const units = Object.keys(exposures).filter((unit) => unit !== "firstlight-agent");

/** What systemd hands to the agent that runs. */
function hasPassword(why: string, password: string): Step {
  const file = "/run/credentials/firstlight-agent.service/mqtt-password";
  return { why, run: ["cat", file], prints: password };
}

const triedAtOnce: Step = {
  why: "generation 2 is tried, healthy and committed",
  says: "boot.finished",
  with: { outcome: "committed", generation: 2 },
};

/** An image of any machine was not booted with the parameters that this one's hardware profile has. */
const takesRestart: Step = {
  why: "generation 2 takes a restart, by the kernel parameters of the hardware profile",
  says: "boot.finished",
  with: { outcome: "rebooting", message: /kernel-params/ },
};

/** Since the machine was started. */
const nixWorked: Step = {
  why: "Nix was at work",
  run: ["cat", "/run/nix-calls"],
  prints: /^nix-store --realise /m,
};

/** From an image that has never run to a committed generation, and what does not get through. */
export const firstBoot: Scenario = {
  name: "first boot",
  metadata: { "/latest/meta-data/instance-id": "i-0123456789abcdef0" },
  steps: ({ publicKey, pace, restartsFirst }) => [
    {
      why: "a seed with a static network",
      insert: seed({ motd: "the first", publicKey, pace, password: "1st" }),
    },
    { why: "the machine is switched on", power: "on" },
    {
      why: "before any network the bootstrap layer writes what the seed says",
      says: "bootstrap.finished",
      with: { network: 1, keys: 1 },
    },
    {
      why: "by which the machine has its address before a build",
      shows: new RegExp(`Configuring with ${bootstrapped}`),
    },
    restartsFirst ? takesRestart : triedAtOnce,
    {
      why: "the fleet hears that it began",
      hears: "boot.started",
      with: { by: "boot", recovered: "clean" },
    },
    {
      why: "the fleet hears of the trial",
      hears: "trial.finished",
      with: { result: "committed", healthy: true, generation: 2 },
    },
    {
      why: "the fleet hears how it ended",
      hears: "boot.finished",
      with: { outcome: "committed", generation: 2, datasource: "NoCloud", instanceId: "i-1" },
    },
    { why: "status says so", run: ["firstlight", "status"], prints: /^committed: generation 2 / },
    {
      why: "who asks cloud-init learns as much",
      run: ["cat", "/run/cloud-init/cloud-id", "/run/cloud-init/result.json"],
      prints:
        /^nocloud\n\{\s*"v1": \{\s*"datasource": "DataSourceNoCloud \[.*\]",\s*"errors": \[\]/,
    },
    { why: "and waits no longer", run: ["cat", "/var/lib/cloud/instance/boot-finished"] },
    hasPassword("the agent has the password of this generation", "1st"),
    { why: "the address is the seed's", run: ["ip", "-4", "addr"], prints: `${lan.machine}/24` },
    {
      why: "what brought it first is no longer needed",
      run: ["test", "-e", bootstrapped],
      code: 1,
    },
    { why: "the generation brings it as well", run: ["cat", bootstrapped.replace("run", "etc")] },
    { why: "a person logs in by key", ssh: ["cat", "/etc/motd"], prints: "the first\n" },
    {
      why: "metadata is served at its real address",
      run: ["node", "--input-type=module", "-e", asksForMetadata],
      prints: "i-0123456789abcdef0\n",
    },
    // An evaluation has no privileges, so it is not written down there.
    ...(restartsFirst ? [] : [nixWorked]),

    { why: "the machine starts again", power: "reboot" },
    {
      why: "nothing has changed",
      says: "boot.finished",
      with: { outcome: "unchanged", generation: 2 },
    },
    { why: "the fleet hears of it", hears: "boot.finished", with: { outcome: "unchanged" } },
    { why: "no process of Nix was started", run: ["test", "-e", "/run/nix-calls"], code: 1 },
    { why: "nor did the bootstrap layer act", run: ["test", "-e", bootstrapped], code: 1 },
    { why: "the boot's system runs", run: ["cat", "/etc/motd"], prints: "the first\n" },
    { why: "and that boot ends", shows: /Startup finished/ },
    {
      why: "no boot waits for the agent, nor for what it brings about",
      run: ["systemd-analyze", "critical-chain", "--no-pager", "multi-user.target"],
      prints: /multi-user\.target @/,
      lacks: /firstlight-(boot|agent)\.service/,
    },
    {
      why: "nothing at all is ordered after it",
      run: [
        "systemctl",
        "show",
        "--property=Before",
        "--value",
        "firstlight-boot",
        "firstlight-agent",
      ],
      prints: /^(shutdown\.target|\s)+$/,
    },
    ...Object.entries(exposures).map(([unit, most]) => ({
      why: `${unit} has hardly anything to lose`,
      run: ["systemd-analyze", "security", "--no-pager", `--threshold=${most}`, unit] as const,
      prints: /exposure level/,
    })),
    {
      why: "a command of a check ran outside of them, as it was written",
      run: ["cat", checkedFile],
      prints: /^us$/m,
    },
    { why: "drift is looked for", run: ["systemctl", "start", "firstlight-drift"] },
    { why: "old generations are too", run: ["systemctl", "start", "firstlight-maintenance"] },
    {
      why: "and whoever waits for the boot is told",
      run: ["systemctl", "start", "firstlight-boot-complete"],
    },
    {
      why: "each by its unit, and none was kept from its work",
      run: ["journalctl", "--boot", "--output=cat", ...units.map((unit) => `--unit=${unit}`)],
      prints: /no drift was found[\s\S]*nothing went[\s\S]*(?:committed|unchanged)/,
      lacks: /EACCES|EPERM|EROFS|permission denied|read-only|in-process/i,
    },

    {
      why: "a seed that is not healthy",
      insert: seed({ motd: "the second", publicKey, pace, password: "2nd", port: 9 }),
    },
    { why: "the machine starts with it", power: "reboot" },
    {
      why: "its trial is taken back",
      says: "boot.finished",
      with: { outcome: "rolled-back", generation: 2 },
    },
    {
      why: "the fleet hears why",
      hears: "trial.finished",
      with: { result: "rolled-back", healthy: false, reasons: [/ECONNREFUSED/] },
    },
    { why: "and how the boot ended", hears: "boot.finished", with: { outcome: "rolled-back" } },
    { why: "generation 2 runs again", run: ["cat", "/etc/motd"], prints: "the first\n" },
    hasPassword("and its agent has its password again", "1st"),
    {
      why: "which it was given anew, as it was that of the trial",
      run: ["journalctl", "--boot", "--output=cat", "--unit=firstlight-agent"],
      prints: /(Started[\s\S]*){3}/,
    },
    {
      why: "status says so, and when it is tried again",
      run: ["firstlight", "status"],
      code: 3,
      prints: /^rolled-back: .*\n {2}what was asked for is tried again at 20[0-9-]+T/,
    },
    {
      why: "by a timer, which starts the boot",
      run: ["systemctl", "start", "firstlight-retry.service"],
    },
    {
      why: "nobody is to blame, so it is tried once more",
      hears: "boot.finished",
      with: { outcome: "rolled-back", message: /so the release is not held back$/ },
    },
    {
      why: "and the timer is set once more",
      run: ["systemctl", "is-active", "firstlight-retry.timer"],
      prints: "active\n",
    },

    {
      why: "a seed that takes the machine out of its network",
      insert: seed({
        motd: "the third",
        publicKey,
        pace,
        password: "1st",
        address: "192.0.2.2/24",
      }),
    },
    { why: "the machine starts with it", power: "reboot" },
    {
      why: "with nobody to ask, its trial is taken back",
      says: "boot.finished",
      with: { outcome: "rolled-back", generation: 2, message: /tcp 10\.99\.0\.1 port 1883/ },
    },
    {
      why: "the fleet hears of it afterwards",
      hears: "boot.finished",
      with: { outcome: "rolled-back" },
    },
    { why: "the machine is back in its network", ssh: ["cat", "/etc/motd"], prints: "the first\n" },
    {
      why: "by the address it had",
      run: ["ip", "-4", "addr"],
      prints: `${lan.machine}/24`,
      lacks: /192\.0\.2\.2/,
    },
    {
      why: "history tells it all",
      run: ["firstlight", "history", "--json"],
      prints:
        /"outcome": "foreign"[\s\S]*"outcome": "committed"[\s\S]*"outcome": "rolled-back"[\s\S]*"outcome": "rolled-back"/,
    },

    {
      why: "once more, as it should be",
      insert: seed({ motd: "the first", publicKey, pace, password: "1st" }),
    },
    { why: "the power goes", power: "cut" },
    { why: "and comes back", power: "on" },
    {
      why: "nothing is lost",
      says: "boot.finished",
      with: { outcome: "unchanged", generation: 2 },
    },
    { why: "the machine is switched off", power: "off" },
  ],
};
