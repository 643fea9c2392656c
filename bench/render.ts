import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Case } from "./case.ts";

const bundle = path.join(import.meta.dirname, "../dist/firstlight.js");
const lines = 500;

/** A cloud-config of 500 lines as a fleet has one: accounts, files, packages, mounts, commands. */
export function longCloudConfig(): string {
  const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
  const text = [
    "#cloud-config",
    "hostname: bench",
    "timezone: Europe/Zurich",
    "locale: en_US.UTF-8",
    "ntp: { servers: [ntp.example.org] }",
    "package_update: true",
    "packages:",
    ...["git", "htop", "curl", "jq", "vim", "tmux", "rsync", "wget"].map((name) => `  - ${name}`),
    "users:",
    "  - default",
    ...numbers(20).flatMap((number) => [
      `  - name: user${number}`,
      `    gecos: User ${number}`,
      "    groups: [wheel]",
      "    shell: /bin/bash",
      "    sudo: ALL=(ALL) NOPASSWD:ALL",
      "    ssh_authorized_keys:",
      `      - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJlbmNo user${number}@example.org`,
    ]),
    "mounts:",
    ...numbers(10).map(
      (number) => `  - [/dev/sd${"bcdefghijk"[number - 1]}1, /data/${number}, ext4]`,
    ),
    "runcmd:",
    ...numbers(60).map((number) => `  - [systemctl, status, unit-${number}.service]`),
    "write_files:",
  ];
  for (let number = 1; text.length + 5 <= lines; number++) {
    text.push(
      `  - path: /etc/app/${number}.conf`,
      '    permissions: "0644"',
      "    content: |",
      `      [section-${number}]`,
      "      value = 1",
    );
  }
  return `${[...text, ...numbers(lines - text.length).map((number) => `# ${number}`)].join("\n")}\n`;
}

/** From that document to files of Nix, from the bundle. */
export function renderCases(): { readonly cases: readonly Case[]; readonly close: () => void } {
  const home = mkdtempSync(path.join(tmpdir(), "firstlight-bench-"));
  const file = path.join(home, "user-data");
  writeFileSync(file, longCloudConfig());
  let count = 0;
  const argv = () => {
    count += 1;
    const out = path.join(home, String(count));
    return [process.execPath, bundle, "render", "-q", "--user-data", file, "--out", out] as const;
  };
  return {
    cases: [{ name: "render, 500 lines", argv, floor: "node -e 0" }],
    close: () => rmSync(home, { recursive: true, force: true }),
  };
}
