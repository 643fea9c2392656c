import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { everyNetwork as network } from "./every-network.ts";

const certificate =
  "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUTest\n-----END CERTIFICATE-----\n";

/** A spec that says everything that can be said: tests hold it against the schema and the renderers. */
export const everything = {
  version: 1,
  hostname: "edge-17",
  domain: "example.org",
  mutableUsers: true,
  users: {
    alice: {
      uid: 1001,
      description: "Alice Example",
      primaryGroup: "operators",
      groups: ["wheel", "dialers"],
      home: "/home/alice",
      createHome: true,
      shell: "zsh",
      authorizedKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH alice@example.org"],
      passwordHash: { secretRef: "user-alice-password" },
      sudo: ["ALL=(ALL) NOPASSWD:ALL", "ALL=(postgres) /run/current-system/sw/bin/psql"],
      doas: ["permit nopass alice as root"],
      expires: "2027-12-31",
    },
    collector: { system: true, locked: true },
  },
  groups: { operators: { gid: 2000, members: ["collector"] } },
  metadataService: { closed: true },
  sshd: { enable: true, passwordAuthentication: false, permitRootLogin: "no" },
  packages: ["htop", "python3Packages.requests"],
  unfree: ["vscode", "cuda*"],
  files: [
    { path: "/etc/motd", content: "welcome\n" },
    {
      path: "/etc/app/config",
      content: "a = 1\n",
      mode: "0664",
      owner: "alice",
      group: "operators",
    },
    { path: "/etc/app/token", secret: { secretRef: "file-token" }, mode: "0600", owner: "alice" },
    {
      path: "/etc/systemd/system/enabled.service",
      content: "[Service]\nExecStart=/opt/app/run\n\n[Install]\nWantedBy=multi-user.target\n",
    },
    { path: "/opt/app/env", content: "A=1\n" },
    { path: "/opt/app/log", secret: { secretRef: "file-line" }, append: true },
    { path: "/opt/app/late", content: "late\n", defer: true },
    { path: "/opt/app/first", content: "first\n", once: true },
  ],
  commands: [
    {
      name: "bootcmd",
      when: "early",
      frequency: "always",
      script: { secretRef: "bootcmd" },
    },
    {
      name: "runcmd",
      when: "late",
      frequency: "instance",
      script: { secretRef: "runcmd" },
      interpreter: "bash",
      enables: ["enabled.service"],
    },
    {
      name: "setup.py",
      when: "late",
      frequency: "once",
      script: { secretRef: "setup.py" },
      interpreter: "own",
      starter: { secretRef: "setup.py-starter" },
    },
  ],
  hooks: [
    {
      name: "snapshot-database",
      when: "pre-update",
      script: { secretRef: "hook-0" },
      interpreter: "bash",
      timeout: "10m",
      onFailure: "warn",
    },
    { name: "tell", when: "post-update", command: ["/run/current-system/sw/bin/true", "done"] },
  ],
  secrets: {
    "app-token": { secretRef: "app-token" },
    "data-key": { secretRef: "data-key" },
    "wg-key": { secretRef: "wg-key" },
    "wireless.conf": { secretRef: "wireless.conf" },
  },
  initrdSecrets: { "/keys/data.key": { secretRef: "data-key" } },
  networkSecrets: {
    wg0: { secret: { secretRef: "wg-key" } },
    wireless: {
      secret: { secretRef: "wireless.conf" },
      group: "operators",
      units: ["wpa_supplicant-wlan0.service"],
    },
  },
  units: {
    "hello.service": {
      text: "[Service]\nExecStart=/run/current-system/sw/bin/true\n",
      wantedBy: ["multi-user.target"],
      credentials: [{ secretRef: "app-token" }],
    },
    "sshd.service": { dropIn: "[Service]\nRestart=always\n" },
    "unwanted.timer": { enable: false },
  },
  timezone: "Europe/Zurich",
  locale: "de_CH.UTF-8",
  keyboard: { layout: "ch", variant: "de", model: "pc105", options: "compose:ralt" },
  ntp: {
    enable: true,
    client: "chrony",
    servers: ["ntp1.example.org"],
    pools: ["0.pool.example.org"],
  },
  hosts: { "192.0.2.7": ["cache.example.org", "cache"] },
  resolver: { nameservers: ["192.0.2.53"], search: ["example.org"], options: ["rotate"] },
  certificates: [certificate],
  network,
  firewall: {
    tcpPorts: [443],
    udpPorts: [123],
    interfaces: { br0: { tcpPorts: [53], udpPorts: [53, 67] } },
  },
  mounts: [
    {
      device: "/dev/disk/by-label/data",
      path: "/data",
      type: "ext4",
      options: ["noatime"],
      check: true,
      format: true,
    },
  ],
  swap: [
    { device: "/swapfile", sizeMiB: 2048 },
    { device: "/swap.img", size: "auto", maxMiB: 2048, options: ["nofail"] },
  ],
  templates: [{ name: "docker-host", parameters: { users: ["alice"], openPorts: [8080] } }],
  modules: [{ name: "web", text: "{ services.nginx.enable = true; }\n" }],
  home: {
    alice: {
      packages: ["ripgrep"],
      files: { "bin/hello": { content: "#!/bin/sh\necho hello\n", executable: true, force: true } },
      programs: { git: { enable: true } },
    },
  },
  health: {
    passes: 3,
    interval: "5s",
    soak: "30s",
    timeout: "2m",
    failedUnits: "new",
    keep: ["link", "route", "time"],
    checks: [
      { type: "http", url: "http://127.0.0.1:8080/health", status: 200, timeout: "5s" },
      { type: "tcp", host: "127.0.0.1", port: 5432, timeout: "5s" },
      { type: "command", command: ["/run/current-system/sw/bin/true"], timeout: "10s" },
      { type: "unit", unit: "sshd.service" },
      { type: "file", path: "/run/app/ready" },
      { type: "systemd", degraded: true },
      { type: "dns", name: "cache.example.org", timeout: "5s" },
      { type: "route", family: "ipv4" },
      { type: "time" },
      { type: "disk", path: "/", freePercent: 10, freeBytes: 1_073_741_824 },
      { type: "memory", pressure: 20, availablePercent: 5 },
      { type: "temperature", celsius: 90 },
      { type: "link" },
    ],
  },
  update: { changes: "apply", release: "2026-01-edge" },
  report: {
    fleet: "default",
    node: "edge-17",
    hostKeys: true,
    mqtt: {
      host: "mqtt.example.org",
      port: 8883,
      tls: true,
      ca: certificate,
      username: "edge-17",
      password: { secretRef: "mqtt-password" },
      acknowledge: "broker",
    },
  },
  options: { "services.fwupd.enable": true, "boot.kernel.sysctl": { "vm.swappiness": 10 } },
} as const satisfies Frozen<Spec>;

/** A spec as a constant: every list and mapping of it read-only. */
type Frozen<T> = T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T;
