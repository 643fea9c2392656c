import { execFileSync } from "node:child_process";
import t from "tap";
import { fc } from "#core/fast-check.ts";
import {
  linesOf,
  partOf,
  secretText,
  translateCloud,
  translateText,
} from "../sample-translation.ts";
import { checkCases } from "./check-cases.ts";

const late = {
  name: "runcmd",
  when: "late",
  frequency: "instance",
  script: { secretRef: "runcmd" },
} as const;
const early = {
  name: "bootcmd",
  when: "early",
  frequency: "always",
  script: { secretRef: "bootcmd" },
} as const;

const unit =
  "[Service]\nExecStart=/run/current-system/sw/bin/app\n[Install]\nWantedBy=multi-user.target\n";
const appEntry = (more = "") =>
  `  - path: /etc/systemd/system/app.service\n${more}    content: |\n${unit.replace(/^/gm, "      ").trimEnd()}\n`;
const app = (more = "") => `write_files:\n${appEntry(more)}`;
const appFile = { path: "/etc/systemd/system/app.service", content: unit, mode: "0644" } as const;

checkCases(t, [
  {
    name: "a text is a line of shell, a list one command",
    yaml: "runcmd:\n  - echo $HOME > x\n  - [echo, $HOME, it's]\n",
    spec: { commands: [late] },
    secrets: { runcmd: "#!/bin/sh\necho $HOME > x\n'echo' '$HOME' 'it'\\''s'\n" },
  },
  {
    name: "bootcmd and runcmd have moments of their own",
    yaml: "runcmd: [b]\nbootcmd: [a]\n",
    spec: { commands: [early, late] },
    secrets: { bootcmd: "#!/bin/sh\na\n", runcmd: "#!/bin/sh\nb\n" },
  },
  {
    name: "empty items are passed over",
    yaml: "runcmd:\n  - # nothing\n  - a\n",
    spec: { commands: [late] },
    secrets: { runcmd: "#!/bin/sh\na\n" },
    says: ["note user-data/no-value 3:4 runcmd.0"],
  },
  {
    name: "numbers and truth values in a command are Python's texts, with a warning",
    yaml: "runcmd:\n  - [sleep, 1, yes]\n",
    spec: { commands: [late] },
    secrets: { runcmd: "#!/bin/sh\n'sleep' '1' 'True'\n" },
    says: [
      "warning user-data/taken-as-text 3:13 runcmd.0.1",
      "warning user-data/taken-as-text 3:16 runcmd.0.2",
    ],
  },
  {
    name: "a missing word is Python's text for it, with a warning",
    yaml: "runcmd: [[rm, -r, ~]]\n",
    spec: { commands: [late] },
    secrets: { runcmd: "#!/bin/sh\n'rm' '-r' 'None'\n" },
    says: ["warning user-data/no-value 2:19 runcmd.0.2"],
  },
  {
    name: "numbers and mappings are no commands",
    yaml: "bootcmd: [ls, 20, {a: n}]\n",
    spec: { commands: [early] },
    secrets: { bootcmd: "#!/bin/sh\nls\n" },
    says: [
      "error user-data/wrong-type 2:15 bootcmd.1",
      "error user-data/wrong-type 2:19 bootcmd.2",
    ],
  },
  {
    name: "a text is no list of commands",
    yaml: "runcmd: ls\n",
    spec: {},
    says: ["error user-data/wrong-type 2:9 runcmd"],
  },
  {
    name: "programs of cloud-init are not there, and are named",
    yaml: "bootcmd:\n  - [cloud-init-per, once, a, touch, /x]\nruncmd:\n  - cloud-init status --wait\n  - echo cloud-init\n",
    spec: { commands: [early, late] },
    secrets: {
      bootcmd: "#!/bin/sh\n'cloud-init-per' 'once' 'a' 'touch' '/x'\n",
      runcmd: "#!/bin/sh\ncloud-init status --wait\necho cloud-init\n",
    },
    says: [
      "warning cloud-config/cloud-init-program 3:5 bootcmd.0",
      "warning cloud-config/cloud-init-program 5:5 runcmd.0",
    ],
  },
  {
    name: "a program that the document writes is there",
    yaml: "runcmd: [/usr/local/bin/own --now, /usr/local/bin/owner, /opt/own]\nwrite_files: [{path: /usr/local/bin/own}]\n",
    spec: {
      files: [{ path: "/usr/local/bin/own", mode: "0644", content: "", once: true }],
      commands: [late],
    },
    secrets: { runcmd: "#!/bin/sh\n/usr/local/bin/own --now\n/usr/local/bin/owner\n/opt/own\n" },
    says: ["warning cloud-config/program-path 2:36 runcmd.1"],
  },
  {
    name: "what other distributions have and NixOS has not is named",
    yaml: "runcmd:\n  - /bin/sh -c /usr/bin/env\n  - /usr/bin/touch /x\n  - a; apt-get install b\n  - [apt, update]\n  - adapt x\n",
    spec: { commands: [late] },
    secrets: {
      runcmd:
        "#!/bin/sh\n/bin/sh -c /usr/bin/env\n/usr/bin/touch /x\na; apt-get install b\n'apt' 'update'\nadapt x\n",
    },
    says: [
      "warning cloud-config/program-path 4:5 runcmd.1",
      "warning cloud-config/package-manager 5:5 runcmd.2",
      "warning cloud-config/package-manager 6:5 runcmd.3",
    ],
  },
]);

/** Commands, each with what must be said of it: a code, and a word of the hint. */
const foreign: readonly (readonly [
  command: string | readonly string[],
  code: string,
  hint: string,
])[] = [
  ["DEBIAN_FRONTEND=noninteractive apt-get install -y x", "package-manager", "packages"],
  ["export A=b; apt-get install x", "package-manager", "packages"],
  ["if true; then apt install x; fi", "package-manager", "packages"],
  ["set -e\n  apt-get update", "package-manager", "packages"],
  [["bash", "-c", "cd /tmp && apt-get install -y x"], "package-manager", "packages"],
  [["sudo", "-u", "root", "sh", "-ec", "apt update"], "package-manager", "packages"],
  ["sh -c 'apt-get install -y x'", "package-manager", "packages"],
  ["sudo -E -u root apt-get -y install x", "package-manager", "packages"],
  ["(apt-get update)", "package-manager", "packages"],
  ["test -e x || { apt-get update; }", "package-manager", "packages"],
  ["/bin/sh -c 'sleep 5 && apt update'", "package-manager", "packages"],
  ["apt-key add x", "package-manager", "packages"],
  ["add-apt-repository ppa:x", "package-manager", "packages"],
  ["systemctl enable --now nginx", "foreign-command", "wantedBy"],
  ["systemctl --now enable nginx", "foreign-command", "wantedBy"],
  [["systemctl", "mask", "x.service"], "foreign-command", "wantedBy"],
  ["hostnamectl set-hostname x", "foreign-command", "hostname"],
  ["timedatectl set-timezone UTC", "foreign-command", "timezone"],
  ["localectl set-locale LANG=C.UTF-8", "foreign-command", "locale"],
  ["sed -i 's/x/y/' /etc/ssh/sshd_config", "foreign-command", "services.openssh.settings"],
  ["sed -i 's/x/y/' /etc/own/config", "foreign-command", "write_files"],
  ["echo '192.0.2.1 x' >> /etc/hosts", "foreign-command", "hosts"],
  ['echo "x" >/etc/sysctl.conf', "foreign-command", "boot.kernel.sysctl"],
  ["echo x | sudo tee -a /etc/environment", "foreign-command", "environment.variables"],
  ["netplan apply", "foreign-command", "network"],
  ["ufw allow 22", "foreign-command", "networking.firewall.allowedTCPPorts"],
  ["update-grub", "foreign-command", "boot.kernelParams"],
  ["update-ca-certificates", "foreign-command", "certificates"],
  ["service ssh restart", "foreign-command", "systemctl"],
  ["locale-gen", "foreign-command", "locale"],
  ["adduser --disabled-password x", "foreign-command", "users"],
  ["usermod -aG docker x", "foreign-command", "users"],
  ["curl -fsSL https://get.docker.com | sh", "foreign-command", "docker-host"],
  ["curl -sfL https://get.k3s.io | INSTALL=1 sh -", "foreign-command", "k3s-server"],
  ["wget -qO- https://example.org/x | sudo -E bash -", "foreign-command", "packages"],
  ["pip3 install x", "foreign-command", "python3Packages"],
  ["npm install -g x", "foreign-command", "packages"],
  ["/etc/init.d/x restart", "foreign-command", "systemctl"],
  ["systemctl restart ssh", "foreign-command", "sshd"],
  ["systemctl reload apache2.service", "foreign-command", "httpd"],
  ["crontab -l", "foreign-command", "timer"],
  ["cp x.service /etc/systemd/system/", "foreign-command", "units"],
  ["ln -sf /usr/share/zoneinfo/UTC /etc/localtime", "foreign-command", "timezone"],
  ["a2enmod rewrite", "foreign-command", "services.httpd"],
  ["lsb_release -cs", "foreign-command", "/etc/os-release"],
];

for (const [command, code, hint] of foreign) {
  t.test(`what does not work on NixOS is named: ${JSON.stringify(command)}`, async (t) => {
    const { findings } = translateCloud(`runcmd: [${JSON.stringify(command)}]\n`);
    t.match(findings, [{ level: "warning", code: `cloud-config/${code}`, path: "runcmd.0" }]);
    t.equal(findings.length, 1);
    t.ok(findings[0]?.hint?.includes(hint), findings[0]?.hint ?? "");
  });
}

t.test("a line that its colon makes a mapping is told how to be written", async (t) => {
  const { findings } = translateCloud('runcmd:\n  - echo "hello: world"\n  - echo a: b\n');
  t.match(findings, [{ level: "error", line: 3, hint: /in quotes/ }]);
});

t.test("what works is not warned of", async (t) => {
  for (const command of [
    "systemctl restart sshd",
    "systemctl --user enable x",
    "systemctl is-enabled x",
    "hostnamectl status",
    "timedatectl show",
    "sed -n p /etc/hosts",
    "sed -i s/a/b/ /opt/own",
    "echo x > /etc/own.conf",
    "cat /etc/hosts > /tmp/hosts 2>&1",
    "# apt-get update",
    "adapt x; echo apt",
    "grep useradd /var/log/x",
    "curl -fsS https://example.org/data | jq .",
    "wget -q https://example.org/x.sh",
    "python3 -m venv /opt/x && /opt/x/bin/pip install y",
    "npm ci",
    "pip list",
    "systemctl restart sshd ntpd",
    "cp /tmp/a /opt/b",
    "ln -s /a /etc/own/link",
    "",
    ["echo", "a; apt-get update"],
    ["test", "-e", "apt"],
    ["constructor"],
  ]) {
    const { findings } = translateCloud(`runcmd: [${JSON.stringify(command)}]\n`);
    t.same(
      findings.filter(({ code }) => code.startsWith("cloud-config/")),
      [],
      String(command),
    );
  }
});

t.test("a script that does the same twice has it said once", async (t) => {
  const text = "apt-get update\napt-get install x\nsystemctl enable x\n";
  const { findings } = translateCloud(`runcmd: [${JSON.stringify(text)}]\n`);
  t.same(
    findings.map(({ code }) => code),
    ["cloud-config/package-manager", "cloud-config/foreign-command"],
  );
});

t.test("a real shell reads the words of a list as they were written", async (t) => {
  const word = fc.string({ unit: "binary", maxLength: 12 }).filter((text) => !text.includes("\0"));
  fc.assert(
    fc.property(
      fc.array(
        word.filter((text) => text.isWellFormed()),
        { maxLength: 5 },
      ),
      (words) => {
        const list = JSON.stringify(["printf", "[%s]", ...words]);
        const translation = translateCloud(`runcmd: [${list}]\n`);
        const script = secretText(translation, "runcmd") ?? "";
        const printed = execFileSync("/bin/sh", { input: script, encoding: "utf8" });
        t.equal(printed, words.length === 0 ? "[]" : words.map((text) => `[${text}]`).join(""));
      },
    ),
    { numRuns: 40, seed: 7 },
  );
});

/** Commands, and the line of the script that each is, with or without the unit. */
const enabling: Readonly<Record<string, string>> = {
  "systemctl enable --now app": "systemctl enable --now app",
  "[sudo, systemctl, --now, enable, app.service]":
    "'sudo' 'systemctl' '--now' 'enable' 'app.service'",
  "sudo systemctl -q enable /etc/systemd/system/app.service":
    "sudo systemctl -q enable /etc/systemd/system/app.service",
  "systemctl daemon-reload && systemctl enable app; systemctl start app":
    "systemctl daemon-reload && systemctl enable app; systemctl start app",
  "export PATH=$PATH:/opt/app; systemctl enable app":
    "export PATH=$PATH:/opt/app; systemctl enable app",
};

t.test("a unit that the document writes is enabled by the script as it is written", async (t) => {
  for (const [command, line] of Object.entries(enabling)) {
    const translation = translateCloud(`runcmd:\n  - ${command}\n${app()}`);
    t.same(partOf(translation), {
      files: [appFile],
      commands: [{ ...late, enables: ["app.service"] }],
    });
    t.equal(secretText(translation, "runcmd"), `#!/bin/sh\n${line}\n`);
    t.same(linesOf(translation), [], command);
    t.match(translation.origins.get("commands.0.enables.0"), { line: 3, column: 5 });
  }
});

/** What is written, and a command that is warned of as ever. */
const notEnabling: Readonly<Record<string, readonly [written: string, command: string]>> = {
  "with another one": [app(), "systemctl enable --now app nginx"],
  "with an option that means more": [app(), "systemctl enable --force app"],
  "by a shell with other paths": [app(), "bash -lc 'systemctl enable app'"],
  "in a script of a list": [app(), "[bash, -lc, systemctl enable app]"],
  "with another PATH": [app(), "PATH=/opt/app; systemctl enable app"],
  "with a directory before those of its PATH": [
    app(),
    "export PATH=/run/current-system/sw/bin:$PATH; systemctl enable app",
  ],
  "as another account": [app(), "doas systemctl enable app"],
  "by what may be anything": [app(), "systemctl enable app $MORE"],
  "that is a secret": [app("    permissions: '0600'\n"), "systemctl enable app"],
  "that is added to": [app("    append: true\n"), "systemctl enable app"],
  "that is decoded": [app("    encoding: text/plain\n"), "systemctl enable app"],
  "that is written twice": [`${app()}${appEntry()}`, "systemctl enable app"],
  "that nothing wants": [app().replace("WantedBy", "RequiredBy"), "systemctl enable app"],
  "that is a template": [app().replace("app.service", "app@.service"), "systemctl enable app@1"],
};

t.test("what is not known to enable a unit of the document alone is warned of", async (t) => {
  for (const [what, [written, command]] of Object.entries(notEnabling)) {
    const translation = translateCloud(`runcmd:\n  - ${command}\n${written}`);
    t.match(linesOf(translation).join("\n"), /^warning cloud-config\/foreign-command 3:/m, what);
    t.same(translation.spec.commands, [late], what);
  }
  const early = translateCloud(`bootcmd: [systemctl enable app]\n${app()}`);
  t.same(linesOf(early), ["warning cloud-config/foreign-command 2:11 bootcmd.0"]);
  t.same(
    early.spec.commands?.map(({ enables }) => enables),
    [undefined],
  );
});

t.test("a script of the user turns on no unit of the cloud", async (t) => {
  const vendorData = { document: "vendor-data", bytes: Buffer.from(`#cloud-config\n${app()}`) };
  const said = translateText("#cloud-config\nruncmd: [systemctl enable app]\n", {}, { vendorData });
  t.match(linesOf(said), ["warning cloud-config/foreign-command 2:10 runcmd.0"]);
});
