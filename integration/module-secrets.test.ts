import t from "tap";
import { formatFinding } from "#core/finding.ts";
import { credentialsOf, tryRender } from "#provisioner/render/try-render.ts";
import { cloudConfigModules } from "#provisioner/userdata/cloud-config/table.ts";
import { translateText } from "#provisioner/userdata/sample-translation.ts";
import { canariesIn, canary } from "./canaries.ts";

// A secret in each place of cloud-config that may hold one: it is in no file that goes into the store, and in no word
// that is said. The same on a machine with a store: secrets.full.test.ts.

const secret = canary("leaf");
const hash = `$6$rounds=5000$salt$${secret.padEnd(86, "x")}`;
const url = `https://user:${secret}@192.0.2.1/x?key=${secret}`;
/** A script, which a prefix starts. */
const vendorData = { document: "vendor-data", bytes: Buffer.from("#!/bin/sh\nid\n") };
const key = `-----BEGIN OPENSSH PRIVATE KEY-----\n${secret}\n-----END OPENSSH PRIVATE KEY-----`;

/** By the module's name: documents, and what becomes of what is secret in them. */
const documents: Readonly<Record<string, readonly (readonly ["kept" | "unused", string])[]>> = {
  users_groups: [
    ["kept", `users: [{name: a, lock_passwd: false, hashed_passwd: "${hash}"}]`],
    ["kept", `users: [{name: a, lock_passwd: false, passwd: "${hash}"}]`],
    ["unused", `users: [{name: a, lock_passwd: false, plain_text_passwd: "${secret}"}]`],
  ],
  set_passwords: [
    ["unused", `password: ${secret}`],
    ["unused", `chpasswd: {users: [{name: root, password: "${secret}", type: text}]}`],
    ["kept", `chpasswd: {users: [{name: root, password: "${hash}"}]}`],
    ["unused", `chpasswd: {list: "root:${secret}"}`],
  ],
  ssh: [["unused", `ssh_keys: {rsa_private: ${JSON.stringify(key)}}`]],
  seed_random: [["kept", `random_seed: {data: "${secret}"}`]],
  write_files: [
    ["kept", `write_files: [{path: /a, permissions: "0600", content: "${secret}"}]`],
    ["unused", `write_files: [{path: /a, source: {uri: "${url}", headers: {a: "${secret}"}}}]`],
  ],
  bootcmd: [["kept", `bootcmd: ["echo ${secret}"]`]],
  runcmd: [["kept", `runcmd: [[echo, "${secret}"]]`]],
  mounts: [["unused", `mounts: [["//192.0.2.1/s", /s, cifs, "username=a,password=${secret}"]]`]],
  wireguard: [
    [
      "kept",
      `wireguard: {interfaces: [{name: wg0, config_path: /x, content: "PrivateKey = ${secret}"}]}`,
    ],
    ["kept", `wireguard: {interfaces: [], readinessprobe: ["curl -H 'X: ${secret}' 192.0.2.1"]}`],
  ],
  ansible: [
    ["kept", `ansible: {pull: [{url: "${url}", playbook_names: [a.yml], vault_id: "${secret}"}]}`],
    ["kept", `ansible: {galaxy: {actions: [[ansible-galaxy, install, "${url}"]]}}`],
    [
      "kept",
      `ansible: {setup_controller: {repositories: [{path: /x, source: "${url}"}], run_ansible: [{playbook_name: a, extra_vars: "p=${secret}"}]}}`,
    ],
  ],
  puppet: [
    ["kept", `puppet: {conf: {agent: {http_proxy_password: "${secret}", server: "${url}"}}}`],
    ["kept", `puppet: {csr_attributes: {custom_attributes: {1.2.840: "${secret}"}}}`],
    ["kept", `puppet: {exec: true, exec_args: [--password, "${secret}"]}`],
  ],
  salt_minion: [
    ["kept", `salt_minion: {conf: {mysql.pass: "${secret}", master: [a, {b: "${secret}"}]}}`],
    ["kept", `salt_minion: {grains: {token: "${secret}"}}`],
    ["kept", `salt_minion: {public_key: a, private_key: "${secret}"}`],
  ],
  lxd: [
    ["unused", `lxd: {init: {trust_password: "${secret}"}}`],
    ["kept", `lxd: {preseed: "config: {core.trust_password: '${secret}'}"}`],
  ],
  rsyslog: [
    ["kept", `rsyslog: {configs: ["*.* :ommysql:h,d,u,${secret}"]}`],
    ["kept", `rsyslog: {configs: [{filename: a.conf, content: 'template(name="${secret}")'}]}`],
    ["unused", `rsyslog: {service_reload_command: [a, "${secret}"]}`],
  ],
  disk_setup: [
    [
      "kept",
      `fs_setup: [{device: /dev/vdb, filesystem: ext4, label: ${secret.slice(0, -1)}., overwrite: true}]`,
    ],
  ],
  phone_home: [["kept", `phone_home: {url: "${url}"}`]],
  final_message: [["kept", `final_message: "${secret}"`]],
  power_state_change: [["kept", `power_state: {mode: reboot, message: "${secret}"}`]],
  snap: [
    ["kept", `snap: {commands: ["curl ${url}"]}`],
    ["unused", `snap: {assertions: ["${secret}"]}`],
    ["unused", `snap: {commands: [[login, "${secret}"]]}`],
  ],
  apt_configure: [
    ["unused", `apt: {sources: {a: {source: "deb ${url} a b", key: "${secret}"}}}`],
    ["unused", `apt: {http_proxy: "http://user:${secret}@192.0.2.1:3128"}`],
    ["unused", `apt_proxy: "http://user:${secret}@192.0.2.1:3128"`],
    ["unused", `apt: {conf: 'Acquire { password "${secret}" }', sources_list: "deb ${url} a"}`],
    ["unused", `apt: {primary: [{arches: [default], uri: "${url}"}]}`],
    ["unused", `debconf_selections: {a: "mysql mysql/root_password password ${secret}"}`],
  ],
  apk_configure: [["unused", `apk_repos: {alpine_repo: {base_url: "${url}", version: v3.12}}`]],
  yum_add_repo: [
    ["unused", `yum_repos: {a: {baseurl: "${url}", password: "${secret}", username: u}}`],
  ],
  zypper_add_repo: [["unused", `zypper: {repos: [{id: a, baseurl: "${url}"}]}`]],
  ubuntu_pro: [
    ["unused", `ubuntu_advantage: {token: "${secret}"}`],
    ["unused", `ubuntu_pro: {token: "${secret}", config: {http_proxy: "${url}"}}`],
  ],
  ubuntu_autoinstall: [["unused", `autoinstall: {version: 1, identity: {password: "${secret}"}}`]],
  landscape: [["unused", `landscape: {client: {registration_key: "${secret}"}}`]],
  rh_subscription: [
    ["unused", `rh_subscription: {username: a, password: "${secret}"}`],
    ["unused", `rh_subscription: {activation-key: "${secret}", org: 1}`],
  ],
  spacewalk: [["unused", `spacewalk: {server: a, activation_key: "${secret}"}`]],
  chef: [
    ["unused", `chef: {validation_key: "${secret}", encrypted_data_bag_secret: "${secret}"}`],
    ["unused", `chef: {initial_attributes: {a: {password: "${secret}"}}}`],
  ],
  mcollective: [
    [
      "unused",
      `mcollective: {conf: {plugin.stomp.password: "${secret}", private-cert: "${secret}"}}`,
    ],
  ],
  reporting: [
    ["unused", `reporting: {a: {type: webhook, endpoint: "${url}", consumer_secret: "${secret}"}}`],
  ],
  fan: [["unused", `fan: {config: "${secret}"}`]],
  scripts_vendor: [["kept", `vendor_data: {prefix: [env, "TOKEN=${secret}"]}`]],
};

for (const [name, cases] of Object.entries(documents)) {
  t.test(`${name}: its secrets are in no file of the store`, async (t) => {
    for (const [fate, document] of cases) {
      const translation = translateText(`#cloud-config\n${document}\n`, {}, { vendorData });
      const { spec, origins, secrets, findings } = translation;
      const rendered = tryRender(spec, {
        credentials: credentialsOf(spec),
        origins,
        anyOption: true,
      });
      const files = rendered.sources.files.map(({ path, content }) => `${path}\n${content}`);
      t.ok(
        files.some((text) => text.includes("services.firstlight")),
        "they were rendered",
      );
      t.same(canariesIn(files.join("\n")), [], document);
      t.same(canariesIn(JSON.stringify(spec)), [], `${document}: nor in the spec`);
      const said = [...findings, ...rendered.findings].map(formatFinding).join("\n");
      t.same(canariesIn(said), [], `${document}: nor in what is said`);
      const kept = [...secrets.values()].some((each) => canariesIn(each.reveal()).length > 0);
      t.equal(kept ? "kept" : "unused", fate, document);
      const isHashed = [...secrets.keys()].some((each) => each !== "part-001");
      if (fate === "unused" && !isHashed) t.ok(said.length > 0, `${document}: it is said`);
    }
  });
}

/** They have no place for a secret: names, numbers, switches, public keys and certificates. */
const without = [
  ...["set_hostname", "timezone", "locale", "keyboard", "ntp", "ssh_import_id"],
  ...["package_update_upgrade_install", "disable_ec2_metadata", "growpart", "resizefs"],
  ...["update_etc_hosts", "resolv_conf", "ca_certs", "ubuntu_drivers", "raspberry_pi"],
  ...["ssh_authkey_fingerprints", "keys_to_console", "install_hotplug", "scripts_user"],
  ...["scripts_per_boot", "scripts_per_instance", "scripts_per_once", "apt_pipelining", "byobu"],
  ...["grub_dpkg", "reset_rmc", "update_hostname", "write_files_deferred"],
];

t.test("no module is left out here", async (t) => {
  const names = cloudConfigModules.map(({ name }) => name).filter((name) => !(name in documents));
  t.same(names, without);
});
