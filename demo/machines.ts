import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { ec2Nitro } from "#integration/machines/ec2-nitro.ts";
import { framework13Amd7040 } from "#integration/machines/framework-13-amd-7040.ts";
import type { Machine } from "#integration/machines/machine.ts";
import { raspberryPi4 } from "#integration/machines/raspberry-pi-4.ts";
import { writeMachine } from "#integration/machines/write-machine.ts";

/** A simulated machine: recorded hardware, and what its datasource says. */
export interface DemoMachine {
  /** Name of its folder and its node. */
  readonly name: string;
  readonly title: string;
  readonly hardware: Machine;
  /** Hardware profile that must be found. */
  readonly profile: string;
  /** User-data, given how to reach the broker. */
  userData(broker: Broker): string;
}

/** Where the machines report. */
export interface Broker {
  readonly port: number;
  readonly username: string;
  readonly password: string;
}

const key =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGZpcnN0bGlnaHQgZGVtbyBrZXksIG5vdCByZWFs demo@example.org";

function report({ port, username, password }: Broker): string {
  return `  report:
    fleet: demo
    mqtt: { host: 127.0.0.1, port: ${port}, username: ${username}, password: ${password} }
  health: { passes: 2, interval: 200ms, timeout: 2s }`;
}

/** A laptop, a board and a cloud machine. */
export const demoMachines: readonly DemoMachine[] = [
  {
    name: "laptop",
    title: "Framework Laptop 13 (Ryzen 7040)",
    hardware: framework13Amd7040,
    profile: "framework/13-amd-7040",
    userData: (broker) => `#cloud-config
hostname: laptop
timezone: Europe/Zurich
locale: de_CH.UTF-8
keyboard: { layout: ch, variant: de }
packages: [git, htop, firefox]
users:
  - default
  - name: alice
    gecos: Alice Example
    groups: [wheel, video]
    shell: /usr/bin/fish
    ssh_authorized_keys: ["${key}"]
firstlight:
${report(broker)}
`,
  },
  {
    name: "board",
    title: "Raspberry Pi 4",
    hardware: raspberryPi4,
    profile: "raspberry-pi/4",
    userData: (broker) => `#firstlight
version: 1
hostname: board
timezone: UTC
users:
  ops: { groups: [wheel], locked: true, authorizedKeys: ["${key}"] }
network:
  ethernets:
    end0: { dhcp4: true }
templates:
  - name: docker-host
    parameters: { users: [ops], logMaxSize: 5m }
${report(broker).replace(/^ {2}/gm, "")}
`,
  },
  {
    name: "cloud",
    title: "EC2 (Nitro)",
    hardware: ec2Nitro,
    profile: "amazon/ec2",
    userData: (broker) => `#cloud-config
hostname: cloud
ssh_authorized_keys: ["${key}"]
packages: [curl]
write_files:
  - path: /etc/motd
    content: |
      Provisioned by firstlight.
  - path: /root/token
    permissions: "0600"
    content: a-secret-that-never-reaches-the-store
runcmd:
  - systemctl --version
firstlight:
  options:
    services.nginx.enable: true
${report(broker)}
`,
  },
];

/** Writes a machine into a folder that serves as its root, with its seed. */
export function layOut(directory: string, machine: DemoMachine, broker: Broker): void {
  mkdirSync(directory, { recursive: true });
  writeMachine(directory, machine.hardware, { hostname: "nixos" });
  const seed = path.join(directory, "var/lib/cloud/seed/nocloud");
  mkdirSync(seed, { recursive: true });
  writeFileSync(
    path.join(seed, "meta-data"),
    `instance-id: i-${machine.name}\nlocal-hostname: ${machine.name}\n`,
  );
  giveUserData(directory, machine.userData(broker));
}

/** Puts user-data into the seed of a machine. */
export function giveUserData(directory: string, text: string): void {
  writeFileSync(path.join(directory, "var/lib/cloud/seed/nocloud/user-data"), text);
}
