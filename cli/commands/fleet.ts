import { Fault } from "#core/fault.ts";
import type { Command } from "../command.ts";

const enrollUsage =
  "enroll init --fleet NAME --url URL [--key p256|ed25519] | enroll serve | enroll token --node NAME (--instance ID | --hardware DIGEST) | enroll approve CODE [--node NAME] | enroll deny CODE | enroll list | enroll revoke NODE [--again] | enroll certificate HOST… --out DIR | enroll access | enroll crl; each with [--dir DIR]";

const signingUsage = [
  "init DIR --fleet NAME [--root-keys NAMES] [--root-threshold N] [--targets-keys NAMES] [--targets-threshold N] [--builders ROLE=KEY,…]",
  "keys list",
  "keys new NAME [--recipient KEYS | --passphrase-fd N | --signer PROGRAM] [--algorithm ed25519|p256]",
  "keys add ROLE NAME [--threshold N]",
  "keys revoke ROLE NAME [--threshold N]",
  "keys rotate ROLE NAME NEWNAME [--days N]",
  "release add [FILE] [--name NAME] [--number N] [--closure MANIFEST] [--health FILE] [--hardware IDS] [--platforms SYSTEMS] [--minimum-agent VERSION] [--secrets NAMES]",
  "release list",
  "release revoke NAME",
  "release remove NAME",
  "release minimum N",
  "sign [--key NAME] [--digest DIGEST] [--identity FILE]",
  "assign NODE RELEASE [--update ID] [--rollout NAME] [--not-before TIME] [--deadline TIME] [--mirrors URLS] [--urgent] [--approval] [--online DIR] [--days N]",
  "assign NODE --none",
  "renew root",
  "renew targets",
  "renew nodes [NODE…] [--days N]",
  "export --node NODE --out DIR",
  "verify DIR",
  "verify MESSAGE --root-file FILE --fleet NAME --node NODE [--at TIME]",
].join(" | ");

/** `firstlight fleet` */
export const command: Command = {
  usage: `fleet ${signingUsage} | ${enrollUsage} | simulate FILE [--nodes N] [--seed N] [--json]`,
  summary:
    "The operator's side: what owners sign, who is enrolled, and what would come of a rollout.",
  help: [
    "Signing (docs/signing.md):",
    "init makes the signing repository of a fleet: keys, the first root, the first targets. Keys that are there are taken,",
    "the others are made: sealed with age to --recipient, or to a passphrase of the terminal or --passphrase-fd N; with",
    "--signer PROGRAM a program keeps them; --algorithm ed25519|p256. keys, release and renew put aside what is to be signed.",
    "sign shows what waits, and with --key adds one signature (--identity FILE opens what was sealed to a recipient); where",
    "nobody is at a terminal, --digest names what was shown. What has enough signatures counts at once. assign and renew nodes",
    "sign with the online keys, which lie in --online DIR; --days says for how long. export writes what a stick brings to a",
    "node. verify looks at everything and names each file that is not what was signed; exit code 2 where something needs",
    "care.",
    "",
    "Enrolment (docs/enrolment.md):",
    "enroll init makes the directory of a fleet: its certificate authority, and settings that a person goes on with. serve",
    "answers nodes. token prints a one-shot token for one machine, good for a day. approve and deny answer a code that stands",
    "on a console. revoke takes away what a node has; with --again its machine may enrol anew. certificate makes one for a",
    "server of the fleet, such as the broker. access and crl print what a mosquitto needs: its acl_file and its crlfile.",
    "",
    "--dir is the directory of the fleet; /var/lib/firstlight-fleet when absent.",
    "",
    "Rollouts (docs/rollouts.md):",
    "simulate plays a rollout on a made-up fleet, with the reconciler that plays it on a real one, and shows what comes of",
    "it: waves, hardware models, the course over time and what happened when. FILE is a scenario (docs/rollout-scenario.md).",
    "The same seed plays the same. Exit code 2 when the rollout does not succeed.",
  ].join("\n"),
  options: {
    dir: { type: "string" },
    fleet: { type: "string" },
    url: { type: "string" },
    key: { type: "string" },
    node: { type: "string" },
    instance: { type: "string" },
    hardware: { type: "string" },
    out: { type: "string" },
    again: { type: "boolean" },
    nodes: { type: "string" },
    seed: { type: "string" },
    "root-keys": { type: "string" },
    "root-threshold": { type: "string" },
    "targets-keys": { type: "string" },
    "targets-threshold": { type: "string" },
    builders: { type: "string" },
    threshold: { type: "string" },
    recipient: { type: "string" },
    identity: { type: "string" },
    "passphrase-fd": { type: "string" },
    signer: { type: "string" },
    algorithm: { type: "string" },
    online: { type: "string" },
    days: { type: "string" },
    name: { type: "string" },
    number: { type: "string" },
    closure: { type: "string" },
    health: { type: "string" },
    platforms: { type: "string" },
    "minimum-agent": { type: "string" },
    secrets: { type: "string" },
    digest: { type: "string" },
    none: { type: "boolean" },
    update: { type: "string" },
    rollout: { type: "string" },
    "not-before": { type: "string" },
    deadline: { type: "string" },
    mirrors: { type: "string" },
    urgent: { type: "boolean" },
    approval: { type: "boolean" },
    "root-file": { type: "string" },
    at: { type: "string" },
  },
  arity: [1, 1000],
  async run(invocation) {
    const [area = "", ...args] = invocation.args;
    if (area === "enroll")
      return (await import("../fleet-enroll.ts")).enrollFleet({ ...invocation, args });
    if (area === "simulate")
      return (await import("../fleet-simulate.ts")).simulateFleet({ ...invocation, args });
    // Loaded when it is called: it shares the formats with what a node loads.
    const { signingVerbs } = await import("../fleet/fleet-signing.ts");
    const run = Object.hasOwn(signingVerbs, area) ? signingVerbs[area] : undefined;
    if (run !== undefined) return run({ ...invocation, args });
    const known = [...Object.keys(signingVerbs), "enroll", "simulate"].join(", ");
    throw new Fault("cli/usage", `fleet: expected ${known}, got ${JSON.stringify(area)}`);
  },
};
