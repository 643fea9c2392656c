import type { Scenario } from "../scenario.ts";
import { seed } from "./documents.ts";

const command = "firstlight-command-runcmd.service";
const [ran, hooked] = ["/var/log/ran", "/var/log/hooked"];
const hook = (when: string) =>
  `- { name: ${when}, when: ${when}, command: [/bin/sh, -c, 'echo $FIRSTLIGHT_WHEN >> ${hooked}'] }`;
const own = ["hooks:", ...["pre-update", "post-update", "post-rollback"].map(hook)];
const ending = (code: number) => [`runcmd: ["echo ran >> ${ran}", "exit ${code}"]`];

const app = [
  "- path: /etc/systemd/system/app.service",
  "  content: |",
  ...["[Service]", "Type=oneshot", "RemainAfterExit=yes", "ExecStart=/srv/app"].map(
    (line) => `    ${line}`,
  ),
  ...["[Install]", "WantedBy=multi-user.target"].map((line) => `    ${line}`),
];
/** The program is there when the command comes to it, and no sooner. */
const enabling = [
  "runcmd:",
  "  - printf '#!/bin/sh\\necho started >> /srv/started\\n' > /srv/app",
  "  - chmod 0755 /srv/app",
  "  - systemctl daemon-reload",
  "  - systemctl enable --now app",
];

/** What no rollback takes back: done once, told of, and done around a change. */
export const sideEffects: Scenario = {
  name: "commands and hooks",
  steps: ({ publicKey, pace }) => [
    {
      why: "a seed with a command that fails, and with hooks",
      insert: seed({ motd: "the first", publicKey, pace, lines: ending(7), own }),
    },
    { why: "the machine is switched on", power: "on" },
    {
      why: "its generation is committed",
      says: "boot.finished",
      with: { outcome: "committed", generation: 2 },
    },
    {
      why: "the command is run by systemd, and fails",
      shows: /runcmd\.service: Failed with result/,
    },
    {
      why: "with an exit code of its own",
      run: ["firstlight", "query", "commands.runcmd.exitCode"],
      prints: "7\n",
    },
    {
      why: "which status tells",
      run: ["firstlight", "status"],
      code: 2,
      prints: /^committed \(degraded\): generation 2 /,
    },
    { why: "hooks ran around it", run: ["cat", hooked], prints: /^pre-update\npost-update\n$/ },

    {
      why: "another generation with the same command",
      insert: seed({ motd: "the second", publicKey, pace, lines: ending(7), own }),
    },
    { why: "the machine starts with it", power: "reboot" },
    {
      why: "it is committed",
      says: "boot.finished",
      with: { outcome: "committed", generation: 3 },
    },
    { why: "the command is asked for", run: ["systemctl", "start", command] },
    { why: "and does not run again", run: ["cat", ran], prints: /^ran\n$/ },
    {
      why: "a person goes back",
      run: ["firstlight", "rollback"],
      code: 2,
      prints: /^committed \(degraded\): generation 4 /,
    },
    { why: "to the system that was", run: ["cat", "/etc/motd"], prints: "the first\n" },
    { why: "nor does it run then", run: ["cat", ran], prints: /^ran\n$/ },
    {
      why: "hooks ran each time",
      run: ["cat", hooked],
      prints: /^(pre-update\npost-update\n){3}$/,
    },

    {
      why: "another text",
      insert: seed({ motd: "the third", publicKey, pace, lines: ending(0), own }),
    },
    { why: "the machine starts with it", power: "reboot" },
    { why: "runs", shows: /Finished .*runcmd/ },
    { why: "once more", run: ["cat", ran], prints: /^ran\nran\n$/ },
    {
      why: "and ends well",
      run: ["firstlight", "query", "commands.runcmd.state"],
      prints: "done\n",
    },
    {
      why: "its generation is committed as well",
      says: "boot.finished",
      with: { outcome: "committed", generation: 5 },
    },

    {
      why: "a seed that is not healthy",
      insert: seed({ motd: "never", publicKey, pace, port: 9, lines: ending(0), own }),
    },
    { why: "the machine starts with it", power: "reboot" },
    { why: "it is taken back", says: "boot.finished", with: { outcome: "rolled-back" } },
    {
      why: "and a hook ran after that",
      run: ["tail", "--lines=2", hooked],
      prints: /^pre-update\npost-rollback\n$/,
    },

    {
      why: "a seed that writes a unit and enables it by a command",
      insert: seed({ motd: "the fourth", publicKey, pace, writes: app, lines: enabling }),
    },
    { why: "the machine starts with it", power: "reboot" },
    {
      why: "its generation is committed, whatever the unit lacks until then",
      says: "boot.finished",
      with: { outcome: "committed" },
    },
    { why: "the command ends", shows: /Finished .*runcmd/ },
    {
      why: "the unit is started by it",
      run: ["systemctl", "is-active", "app.service"],
      prints: "active\n",
    },
    { why: "once", run: ["cat", "/srv/started"], prints: "started\n" },
    { why: "the machine starts again", power: "reboot" },
    { why: "nothing has changed", says: "boot.finished", with: { outcome: "unchanged" } },
    {
      why: "the unit has started by itself",
      run: ["systemctl", "is-active", "app.service"],
      prints: "active\n",
    },
    { why: "once more", run: ["cat", "/srv/started"], prints: "started\nstarted\n" },

    {
      why: "old generations are collected at night",
      run: ["systemctl", "list-timers", "--no-pager", "firstlight-maintenance.timer"],
      prints: /firstlight-maintenance\.service/,
    },
    { why: "or now", run: ["systemctl", "start", "firstlight-maintenance.service"] },
    {
      why: "which takes nothing that is needed",
      run: ["firstlight", "history"],
      prints: /\[runs, boot default\]/,
    },
    { why: "the machine is switched off", power: "off" },
  ],
};
