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

/** Keys of WireGuard, which systemd-networkd reads from a file. */
const keys = {
  first: "qMmYcJzU3DhIkPWUT9gUBv5ZmiVXsQUpQ4s+cYyJ5Uc=",
  second: "gFY0nFbQxvVHAB3RvmDFDBcFNiLbCbmiEp9fFCvnHm8=",
} as const;
type Key = keyof typeof keys;
const keyFile = "/run/firstlight/network/wg0";
const networkd = "systemctl show --property=InvocationID systemd-networkd";
const netdev = [
  `systemd.network.netdevs."10-wg0".netdevConfig: { Name: wg0, Kind: wireguard }`,
  `systemd.network.netdevs."10-wg0".wireguardConfig: { PrivateKeyFile: ${keyFile} }`,
];

/** Two services with a secret each, of which only one changes, and what networkd reads. */
const own = (token: string, key: Key) => [
  `secrets: { ${services.app}: ${canary(token)}, ${services.db}: ${canary("stays")}, wg: "${keys[key]}" }`,
  "networkSecrets: { wg0: { secret: { secretRef: wg } } }",
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

/** What networkd's own user finds in the file. */
function key(why: string, name: Key): Step {
  const who = ["--reuid=systemd-network", "--regid=systemd-network", "--clear-groups"];
  return { why, run: ["setpriv", ...who, "cat", keyFile], prints: keys[name] };
}

/** Whether networkd is the one that was noted last. */
function sameNetworkd(why: string, code: 0 | 1): Step {
  return { why, run: ["sh", "-c", `${networkd} | cmp -s - /root/networkd`], code };
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
    const says = (token: string, key: Key = "first") =>
      seed({ motd: "rotates", publicKey, pace, own: own(token, key), options: netdev });
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
      key("and systemd-networkd its key", "first"),
      {
        why: "which is in memory, for it and root alone",
        run: ["sh", "-c", `stat -c '%a %U %G' ${keyFile}; findmnt -nT ${keyFile} -o FSTYPE`],
        prints: /^440 root systemd-network\n(ramfs|tmpfs)\n$/,
      },
      {
        why: "and was read",
        run: ["journalctl", "--unit=systemd-networkd", "--output=cat"],
        prints: /wg0/,
        lacks: /key/,
      },
      { why: "that networkd is noted", run: ["sh", "-c", `${networkd} > /root/networkd`] },

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
      sameNetworkd("nor was systemd-networkd", 0),
      versions("the generation before keeps what it had", 2),

      {
        why: "a person goes back",
        run: ["firstlight", "rollback"],
        prints: /^committed: generation 4 /,
      },
      read("to the old value", "app", "first", "second", "first"),
      read("and still the other unit runs as it did", "db", "stays"),

      sameNetworkd("and so does systemd-networkd", 0),

      { why: "the secret changes once more, and the key as well", insert: says("third", "second") },
      looksAgain,
      committed("in a generation of its own", 5),
      read("which brings it", "app", "first", "second", "first", "third"),
      key("systemd-networkd has the new key", "second"),
      sameNetworkd("for which it was started anew", 1),
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
      key("also in the file of systemd-networkd", "first"),

      { why: "the machine starts again", power: "reboot" },
      { why: "and its boot ends", shows: /Finished firstlight-boot\.service/ },
      key("the key is there", "first"),
      {
        why: "and was before systemd-networkd",
        run: ["journalctl", "--boot", "--output=cat", "_PID=1"],
        prints:
          /Finished firstlight-network-secrets\.service[\s\S]*Starting systemd-networkd\.service/,
      },
      {
        why: "which has read it",
        run: ["journalctl", "--boot", "--unit=systemd-networkd", "--output=cat"],
        prints: /wg0/,
        lacks: /key/,
      },
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
      {
        why: "no key either",
        run: ["sh", "-c", `${journal} | grep -ac '${keys.first.slice(0, -1)}'`],
        code: 1,
        prints: "0\n",
      },
      { why: "the machine is switched off", power: "off" },
    ];
  },
};
