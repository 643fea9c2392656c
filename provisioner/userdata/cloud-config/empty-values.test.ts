import t from "tap";
import type { Json } from "#core/canonical-json.ts";
import { hasErrors } from "#core/finding.ts";
import { plainDefaultUser, translateText } from "../sample-translation.ts";
import { cloudConfigModules } from "./table.ts";

/** Paths below the top of a cloud-config that are read; `0` is the first entry of a list. */
const inner = `groups.0 groups.x groups.0.x users.0 users.x users.0.name users.0.gecos users.0.uid
  users.0.homedir users.0.primary_group users.0.groups users.0.system users.0.no_create_home
  users.0.ssh_authorized_keys users.0.ssh_authorized_keys.0 users.0.sudo users.0.sudo.0 users.0.doas
  users.0.shell users.0.expiredate users.0.lock_passwd users.0.lock-passwd users.0.passwd
  users.0.hashed_passwd users.0.plain_text_passwd users.0.no_user_group users.0.no_log_init
  users.0.create_groups users.0.inactive users.0.selinux_user users.0.snapuser
  users.0.ssh_import_id users.0.ssh_redirect_user users.x.shell user.name user.groups user.sudo
  user.shell user.lock_passwd keyboard.layout keyboard.model keyboard.variant keyboard.options
  ntp.enabled ntp.ntp_client ntp.servers ntp.servers.0 ntp.pools ntp.pools.0 ntp.config ntp.peers
  ssh_authorized_keys.0 packages.0 packages.0.apt packages.0.apt.0 packages.0.snap write_files.0
  write_files.0.path write_files.0.encoding write_files.0.permissions write_files.0.owner
  write_files.0.append write_files.0.defer write_files.0.source write_files.0.source.uri
  write_files.0.source.headers bootcmd.0 runcmd.0 ntp.allow ntp.allow.0 ntp.peers.0 ntp.config.template
  mounts.0 swap.size swap.filename swap.maxsize disk_setup.x disk_setup.x.layout device_aliases.x
  fs_setup.0 fs_setup.0.device fs_setup.0.filesystem fs_setup.0.label fs_setup.0.partition
  growpart.mode growpart.devices growpart.devices.0 resolv_conf.domain resolv_conf.nameservers
  resolv_conf.options resolv_conf.options.x ca_certs.trusted ca_certs.trusted.0 ca_certs.remove_defaults
  rsyslog.configs rsyslog.configs.0 rsyslog.configs.0.content rsyslog.remotes.x rsyslog.packages
  wireguard.interfaces wireguard.interfaces.0 wireguard.interfaces.0.name
  ansible.pull ansible.pull.0 ansible.pull.0.url ansible.run_user ansible.galaxy.actions
  ansible.setup_controller.run_ansible.0 ansible.setup_controller.repositories.0.source
  puppet.conf puppet.conf.x puppet.conf.x.y puppet.exec puppet.csr_attributes
  salt_minion.conf salt_minion.grains salt_minion.private_key lxd.init lxd.init.storage_backend
  lxd.bridge.mode lxd.preseed drivers.nvidia drivers.nvidia.license-accepted rpi.interfaces.serial
  apt.proxy apt.sources apt.sources.x snap.commands snap.commands.0 ubuntu_pro.token chef.run_list`.split(
  /\s+/,
);

const paths = [...cloudConfigModules.flatMap(({ keys }) => keys), "firstlight", ...inner];

/** A cloud-config that says nothing but what is empty, and what must stand beside that. */
function documentOf(path: string, empty: Json): string {
  const beside: Readonly<Record<string, Json>> = path.startsWith("users.0.")
    ? { name: "bob" }
    : path.startsWith("write_files.0.source")
      ? { path: "/etc/x", ...(path.endsWith("headers") ? { source: { uri: "" } } : {}) }
      : path.startsWith("write_files.0.")
        ? { path: "/etc/x" }
        : path.startsWith("fs_setup.0.")
          ? { device: "/dev/vdb", filesystem: "ext4" }
          : {};
  const [top = "", ...below] = path.split(".");
  const value = below.reduceRight<Json>((inside, part, index) => {
    if (part === "0") return [inside];
    return index === 1 || part === "headers"
      ? { ...beside, ...(part === "headers" ? { uri: "" } : {}), [part]: inside }
      : { [part]: inside };
  }, empty);
  return `#cloud-config\n${JSON.stringify({ [top]: value })}\n`;
}

t.test("whatever is empty is named where it stands, and no error", async (t) => {
  for (const path of paths) {
    for (const empty of [null, ""]) {
      const { findings } = translateText(documentOf(path, empty));
      const name = `${path}: ${JSON.stringify(empty)}`;
      t.notOk(hasErrors(findings), name);
      const parts = path.split(".");
      const entries = [parts.slice(0, 2), parts.slice(0, -1)].map((each) => each.join("."));
      const named = findings.find(({ code, path: at }) => {
        return code === "user-data/no-value" && [path, ...entries].includes(at);
      });
      t.match(named, { line: 2, hint: String }, name);
    }
  }
});

/** Documents with something empty, and those that mean the same without it. */
const same: readonly (readonly [string, string])[] = [
  ["hostname: a\nfqdn:", "hostname: a"],
  ["preserve_hostname: ''\nhostname: a", "hostname: a"],
  ["keyboard:\nlocale: ''\ntimezone:", ""],
  ["ntp:", "ntp: {}"],
  ["ntp: ''", ""],
  ["ntp: {enabled: '', servers: ['', 192.0.2.1], pools: ''}", "ntp: {servers: [192.0.2.1]}"],
  ["users:", "users: []"],
  ["users: ''", "users: []"],
  ["users: ['']", "users: []"],
  ["users: ['', bob]", "users: [bob]"],
  ["users: [{name: '', gecos: x}, bob]", "users: [bob]"],
  ["user: ''", ""],
  ["user: {name: ''}", ""],
  ["user: {sudo: ''}", "user: {sudo: false}"],
  ["user: {groups: }", "user: {groups: []}"],
  ["users: [{name: bob, lock_passwd: ''}]", "users: [{name: bob, lock_passwd: false}]"],
  ["users: [{name: bob, hashed_passwd: '', sudo: }]", "users: [bob]"],
  ["groups: ''", ""],
  ["groups: {x: }", "groups: [x]"],
  ["groups: [x: '']", "groups: [x]"],
  ["disable_root: ''", "disable_root: false"],
  ["allow_public_ssh_keys:", "allow_public_ssh_keys: false"],
  ["ssh_pwauth: ''", ""],
  ["packages: ['', htop, [jq, ''], [vim, null]]", "packages: [htop, jq, vim]"],
  ["write_files: ''", ""],
  ["write_files: [{path: '', content: x}, {path: /a}]", "write_files: [{path: /a}]"],
  [
    "write_files: [{path: /a, permissions: '', owner: '', defer: '', append: , encoding: ''}]",
    "write_files: [{path: /a}]",
  ],
  ["write_files: [{path: /a, content: x, source: ''}]", "write_files: [{path: /a, content: x}]"],
  [
    "write_files: [{path: /a, content: x, source: {uri: ''}}]",
    "write_files: [{path: /a, content: x}]",
  ],
  ["runcmd:", ""],
  ["bootcmd: ''", ""],
  ["runcmd: ['', a, null]", "runcmd: [a]"],
  ["runcmd: [[a, ~]]", "runcmd: [[a, None]]"],
  ["firstlight: ''", ""],
  ["firstlight:", ""],
];

t.test("it counts as if it were not there, or as cloud-init takes it", async (t) => {
  const publicKeys = [
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExampleExampleExampleExampleExampleExampleEx",
  ];
  for (const [empty, without] of same) {
    const read = (yaml: string) => translateText(`#cloud-config\n${yaml}\n`, { publicKeys });
    const [first, second] = [read(empty), read(without)];
    t.strictSame(first.spec, second.spec, empty);
    t.equal(first.secrets.size, second.secrets.size, empty);
    t.notOk(hasErrors(first.findings), empty);
  }
});

t.test("what says something although it is empty is left as it is", async (t) => {
  const silent = [
    "write_files: [{path: /etc/x, content: ''}]",
    "runcmd: [[printf, '']]",
    "users: [default, {name: bob, groups: {docker: }}]\ngroups: [docker]",
  ];
  for (const yaml of silent)
    t.strictSame(translateText(`#cloud-config\n${yaml}\n`).findings, [], yaml);
  const user = translateText("#cloud-config\nuser: {sudo: ''}\n").spec.users?.["nixos"];
  t.strictSame(user, { groups: plainDefaultUser.groups, locked: true });
});
