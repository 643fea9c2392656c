/** A check of a new generation, as the spec has it. */
export type StoryCheck =
  | { readonly type: "file"; readonly path: string }
  | { readonly type: "tcp"; readonly host: string; readonly port: number }
  | { readonly type: "http"; readonly url: string };

/** What tells one user-data of the story from another. */
export interface StoryDocument {
  /** First line of /etc/motd. */
  readonly motd: string;
  readonly checks?: readonly StoryCheck[];
  /** Parameters of the kernel: another one takes a reboot. */
  readonly kernelParams?: readonly string[];
  readonly broker?: { readonly port: number; readonly password: string };
  /** What worked before a change and must work after it; the default when absent. */
  readonly keep?: readonly string[];
  /** Further lines of cloud-config. */
  readonly more?: string;
}

const key =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE3Zr5cVYt8mP2xq0Jv7bN1sKdWfGhUaLoXeRiTyQzC9 alice";

/** A cloud-config as people write it, quick to judge. */
export function cloudConfig({
  motd,
  checks = [],
  kernelParams = [],
  broker,
  keep,
  more = "",
}: StoryDocument): string {
  return `#cloud-config
timezone: Europe/Zurich
packages: [htop]
users:
  - default
  - name: alice
    groups: [wheel]
    lock_passwd: false
    hashed_passwd: ${passwordHash}
    ssh_authorized_keys:
      - ${key}
write_files:
  - path: /etc/motd
    content: |
      ${motd}
  - path: /etc/edge/key
    permissions: "0600"
    content: not for everybody
runcmd:
  - echo ${motd}
${more}firstlight:
  options: { boot.kernelParams: ${JSON.stringify(kernelParams)} }
  health:
    passes: 1
    interval: 5s
    timeout: 5s
    checks: ${JSON.stringify(checks)}
${keep === undefined ? "" : `    keep: ${JSON.stringify(keep)}\n`}${broker === undefined ? "" : reportTo(broker)}`;
}

/** A hash as mkpasswd makes it. */
export const passwordHash =
  "$6$rounds=5000$h1Qx0pZ3vK7sT2mB$" +
  "W8nR4yUe5oLc9aGjXiDf6kSqTzVbPhMw1EuNgJrYtCdHs0AoKxBvFlZiQmOpRyTe3GwUjLhXnCbVfDaSkEqI7m";

function reportTo({
  port,
  password,
}: {
  readonly port: number;
  readonly password: string;
}): string {
  return `  report:
    fleet: story
    node: edge-1
    mqtt: { host: 127.0.0.1, port: ${port}, username: edge-1, password: "${password}" }
`;
}
