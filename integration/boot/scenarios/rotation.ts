import { canary, canaryMark } from "../../canaries.ts";
import type { Scenario, Step } from "../scenario.ts";
import { seed } from "./documents.ts";

const credentials = "/var/lib/firstlight/credentials";
const services = { app: "app-token", db: "db-password" } as const;
const values = `${credentials}/${services.app}@*`;
const journal = "journalctl --all --output=export";
const local = "{ services.firstlight.settings.generations.keep = 1; }";

/** A service that notes what it was handed, each time that it is started. */
const service = (name: string, secret: string) => [
  `${name}.service:`,
  `  credentials: [{ secretRef: ${secret} }]`,
  "  wantedBy: [multi-user.target]",
  "  text: |",
  "    [Service]",
  "    Type=exec",
  `    ExecStart=/bin/sh -c 'echo $(cat "$$CREDENTIALS_DIRECTORY/${secret}") >> /run/${name}-read; exec sleep infinity'`,
];

/** One that was written for cloud-init: it wants to run when all is done, and to read how it went. */
const waiting = [
  "waits.service:",
  "  wantedBy: [cloud-init.target]",
  "  text: |",
  "    [Unit]",
  "    After=cloud-config.target cloud-init.target",
  "    [Service]",
  "    Type=oneshot",
  "    RemainAfterExit=yes",
  "    ExecStart=/bin/sh -c 'cat /run/cloud-init/result.json > /run/waited'",
];

/** Two services with a secret each, of which only one changes. */
const own = (token: string) => [
  `secrets: { ${services.app}: ${canary(token)}, ${services.db}: ${canary("stays")} }`,
  "units:",
  ...Object.entries(services)
    .flatMap(([name, secret]) => service(name, secret))
    .concat(waiting)
    .map((line) => `  ${line}`),
];

const looksAgain: Step = {
  why: "and the boot looks again",
  run: ["systemctl", "start", "firstlight-boot.service"],
};

function read(why: string, name: keyof typeof services, ...values: readonly string[]): Step {
  return {
    why,
    run: ["cat", `/run/${name}-read`],
    prints: values.map((v) => `${canary(v)}\n`).join(""),
  };
}

/** How many values of the secret that changes are kept. */
function versions(why: string, count: number): Step {
  return { why, run: ["sh", "-c", `ls ${values} | wc -l`], prints: `${count}\n` };
}

function committed(why: string, generation: number): Step {
  const prints = new RegExp(`^committed: generation ${generation} `);
  return { why, run: ["firstlight", "status"], prints };
}

/** A secret is changed, changed back by a rollback, and forgotten with the last generation that has it. */
export const rotation: Scenario = {
  name: "rotation of a secret",
  steps: ({ publicKey, pace }) => {
    const says = (token: string) => seed({ motd: "rotates", publicKey, pace, own: own(token) });
    return [
      { why: "a seed of two services with a secret each", insert: says("first") },
      { why: "the machine is switched on", power: "on" },
      {
        why: "its generation is committed",
        says: "boot.finished",
        with: { outcome: "committed", generation: 2 },
      },
      { why: "and its boot ends", shows: /Finished firstlight-boot\.service/ },
      read("the one has its secret", "app", "first"),
      read("and the other", "db", "stays"),

      { why: "what waits for cloud-init runs then", shows: /Finished waits\.service/ },
      {
        why: "and finds how it went",
        run: ["cat", "/run/waited"],
        prints: /"datasource": "DataSourceNoCloud \[.*\]",\s*"errors": \[\]/,
      },
      {
        why: "after cloud-init's targets, in their order",
        run: ["journalctl", "--boot", "--output=cat", "_PID=1"],
        prints:
          /Reached target cloud-config\.target[\s\S]*Reached target cloud-init\.target[\s\S]*Starting waits\.service/,
      },

      {
        why: "its owner wants no more generations than are needed",
        run: ["sh", "-c", `echo '${local}' > /etc/nixos/local.nix`],
      },
      { why: "one secret changes", insert: says("second") },
      looksAgain,
      committed("that is another generation", 3),
      read("its unit was restarted and reads the new value", "app", "first", "second"),
      read("the other unit was not", "db", "stays"),
      versions("the generation before keeps what it had", 2),

      {
        why: "a person goes back",
        run: ["firstlight", "rollback"],
        prints: /^committed: generation 4 /,
      },
      read("to the old value", "app", "first", "second", "first"),
      read("and still the other unit runs as it did", "db", "stays"),

      { why: "the secret changes once more", insert: says("third") },
      looksAgain,
      committed("in a generation of its own", 5),
      read("which brings it", "app", "first", "second", "first", "third"),
      versions("every value is still one of some generation", 3),
      { why: "each has a second name", run: ["sh", "-c", `cp -l ${values} /root/`] },
      {
        why: "generations that need not stay are collected",
        run: ["firstlight", "collect"],
        prints: /^ {3}3 {2}gone[\s\S]*^2 generations, .*, 1 secret went$/m,
      },
      versions("and with the last that had a value, that value", 2),
      {
        why: "so that no name leads to its bytes",
        run: ["sh", "-c", "for file in /root/app-token@*; do tr -d '\\0' < $file | wc -c; done"],
        prints: /^(?=[\s\S]*^0$)(0\n|[1-9]\d*\n){3}$/m,
      },
      {
        why: "the generation before has its own still",
        run: ["firstlight", "rollback"],
        prints: /^committed: generation 6 /,
      },
      read("and brings it", "app", "first", "second", "first", "third", "first"),
      read("the other unit was never restarted", "db", "stays"),
      {
        why: "the journal knows of all that",
        run: ["sh", "-c", `${journal} | grep -ac 'app-token'`],
        prints: /^[1-9]/,
      },
      {
        why: "and no value is in it, in none of its fields",
        run: ["sh", "-c", `${journal} | grep -ac '${canaryMark}'`],
        code: 1,
        prints: "0\n",
      },
      { why: "the machine is switched off", power: "off" },
    ];
  },
};
