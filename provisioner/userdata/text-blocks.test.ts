import t from "tap";
import { tryRender } from "#provisioner/render/try-render.ts";
import { linesOf, translateCloud, translateText } from "./sample-translation.ts";

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEZjJjkvkGRSqKSQUU0chHNYEd7dDc3LJAAZBa0Rx6oP a@b";

/** Bodies of a cloud-config, which begin in line 2, and what is said of them. */
const cases: Readonly<Record<string, readonly string[]>> = {
  "chpasswd:\n  expire: false\n  list: |\n    root:$6$saltsalt$hashhashhashhash\n    nobody\n": [
    "warning cloud-config/unknown-value 6:5 chpasswd.list",
  ],
  "chpasswd:\n  expire: false\n  list: |\n    root:R\n\n    bob:$1$saltsalt$hash\n": [
    "warning cloud-config/weak-hash 7:5 chpasswd.list",
    "warning cloud-config/no-user 7:5 chpasswd.list",
  ],
  'chpasswd:\n  expire: false\n  list: "root:R\\nbob:R"\n': [
    "warning cloud-config/no-user 4:18 chpasswd.list",
  ],
  "runcmd:\n  - |\n    set -e\n    cd /tmp\n    true && apt-get install -y x\n": [
    "warning cloud-config/package-manager 6:13 runcmd.0",
  ],
  "runcmd:\n  - >\n    cd /tmp &&\n    apt-get install -y x &&\n    /usr/bin/touch y\n": [
    "warning cloud-config/package-manager 5:5 runcmd.0",
    "warning cloud-config/program-path 6:5 runcmd.0",
  ],
  "bootcmd:\n  - - bash\n    - -c\n    - |\n      cat > /x <<EOF\n      apt-get\n      EOF\n      ufw allow 22\n":
    ["warning cloud-config/foreign-command 9:7 bootcmd.0.2"],
  "write_files:\n  - path: /opt/run\n    permissions: '0755'\n    content: |\n      #!/usr/bin/python3\n      print(1)\n":
    ["warning cloud-config/interpreter-path 6:7 write_files.0.content"],
  [`ssh_authorized_keys: |\n  # mine\n  ${key}\n  that of my friend\n`]: [
    "warning cloud-config/not-a-key 5:3 ssh_authorized_keys",
  ],
  [`ssh_authorized_keys:\n  - |\n    ${key}\n    ssh-rsa oops\n`]: [
    "warning cloud-config/not-a-key 5:5 ssh_authorized_keys.0",
  ],
  "lxd:\n  preseed: |\n    config: {}\n    networks:\n      - name: a\n       type: b\n": [
    "error user-data/wrong-type 7:8 lxd.preseed",
  ],
  "power_state:\n  mode: reboot\n  condition: |\n    true\n    /usr/bin/test -e /x\n": [
    "warning cloud-config/program-path 6:5 power_state.condition",
  ],
};

t.test("what is wrong inside of a block of text is told with its own line", async (t) => {
  for (const [body, says] of Object.entries(cases)) {
    t.same(linesOf(translateCloud(body)), says, body);
  }
});

t.test("a rule of sudo in a block is told with its line", async (t) => {
  const body =
    "users:\n  - name: a\n    sudo:\n      - |\n        ALL=(ALL) NOPASSWD:ALL\n      - >-\n        a b c\n";
  const { spec, origins } = translateCloud(body);
  t.match(linesOf(tryRender(spec, { origins })), ["error render/rule 8:9 users.a.sudo.1"]);
});

t.test("of a part of several the line is that of the whole document", async (t) => {
  const text = `Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/cloud-config\n\nhostname: a\n\n--b\nContent-Type: text/cloud-config\n\nruncmd:\n  - |\n    true\n    apt update\n--b--\n`;
  t.same(linesOf(translateText(text)), ["warning cloud-config/package-manager 14:5 runcmd.0"]);
});

t.test("in a text of a JSON patch it is told with its own line and column", async (t) => {
  const patch = (value: string) =>
    `Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/cloud-config\n\nruncmd: []\n--b\nContent-Type: text/cloud-config-jsonp\n\n[{"op": "add",\n  "path": "/runcmd/0",\n  "value": ${value}}]\n--b--\n`;
  const texts = [
    '"set -e\\napt update"',
    '"echo \\"\\u00e9\\ud83d\\ude00é😀\\"\\n\\tapt update"',
    '["sh", "-c", "true;\\r\\napt update"]',
  ];
  for (const value of texts) {
    const path = value.startsWith("[") ? "runcmd.0.2" : "runcmd.0";
    const line = `  "value": ${value}`;
    const column = [...line.slice(0, line.indexOf("apt"))].length + 1;
    t.same(
      linesOf(translateText(patch(value))),
      [`warning cloud-config/package-manager 12:${column} ${path}`],
      value,
    );
  }
  t.same(linesOf(translateText(patch('"apt update"'))), [
    "warning cloud-config/package-manager 12:12 runcmd.0",
  ]);
});
