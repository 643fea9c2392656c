import type { Json } from "#core/canonical-json.ts";
import { fc } from "#core/fast-check.ts";
import { otherKeys } from "./cloud-config/other-keys.ts";
import { cloudConfigModules } from "./cloud-config/table.ts";

/** Anything at all, in the wrong place. */
const anything = fc.oneof(
  fc.constantFrom<Json>(null, true, false, 0, -1, 1.5, 420, "", "text", [], {}, [[]], { a: null }),
  fc.string(),
  fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
);

/** Mostly what is given, sometimes anything. */
function mostly(usual: fc.Arbitrary<Json>): fc.Arbitrary<Json> {
  return fc.oneof({ weight: 4, arbitrary: usual }, { weight: 1, arbitrary: anything });
}

/** A mapping with some of the keys, and at times one that nobody knows. */
function some(keys: Readonly<Record<string, fc.Arbitrary<Json>>>): fc.Arbitrary<Json> {
  const known = Object.entries(keys).map(([key, value]) => [key, mostly(value)] as const);
  const record = fc.record(Object.fromEntries(known), { requiredKeys: [] });
  const odd = fc.dictionary(fc.string({ maxLength: 8 }), anything, { maxKeys: 1 });
  return fc.tuple(record, odd).map(([usual, other]) => merged(other, usual));
}

/** A password in plain text takes time to hash, so that there are few. */
function seldom(rare: fc.Arbitrary<Json>, ...usual: readonly Json[]): fc.Arbitrary<Json> {
  return fc.oneof(
    { weight: 7, arbitrary: fc.constantFrom(...usual) },
    { weight: 1, arbitrary: rare },
  );
}

function merged(...parts: readonly (object | Json)[]): Json {
  return Object.assign({}, ...parts);
}

/**
 * Cloud-configs of every shape: each key of the translated modules, those of others, and unknown ones.
 * `text` is what stands where a text belongs.
 */
export function cloudConfigs(text: fc.Arbitrary<string> = fc.string()): fc.Arbitrary<Json> {
  const name = fc.oneof(fc.constantFrom("alice", "bob", "default", "__proto__"), text);
  const list = (item: fc.Arbitrary<Json>) => fc.array(mostly(item), { maxLength: 3 });
  const texts = list(text);
  const flag = fc.oneof(fc.boolean(), fc.constantFrom("yes", "off"));
  const user = some({
    name,
    gecos: text,
    uid: fc.nat(),
    homedir: text,
    primary_group: text,
    groups: fc.oneof(text, texts),
    system: flag,
    no_create_home: flag,
    no_user_group: flag,
    no_log_init: flag,
    shell: fc.oneof(text, fc.constantFrom("/bin/zsh", "/bin/false")),
    ssh_authorized_keys: texts,
    "ssh-authorized-keys": texts,
    ssh_redirect_user: flag,
    lock_passwd: flag,
    passwd: text,
    hashed_passwd: fc.oneof(text, fc.constant("$6$salt$hash")),
    plain_text_passwd: seldom(text, null),
    sudo: fc.oneof(text, texts, fc.constant(null)),
    doas: texts,
    expiredate: text,
    inactive: fc.oneof(text, fc.nat(400)),
    selinux_user: text,
    ssh_import_id: fc.oneof(text, texts, fc.constant(["gh:a"])),
  });
  const file = some({
    path: fc.oneof(
      text,
      text.map((end) => `/etc/${end}`),
    ),
    content: text,
    permissions: fc.oneof(text, fc.constantFrom("0644", "0600"), fc.nat(511)),
    owner: text,
    encoding: fc.constantFrom("b64", "gz+b64", "text/plain"),
    append: flag,
    defer: flag,
    source: some({ uri: text, headers: fc.constant({ a: "b" }) }),
  });
  const password = some({
    name,
    type: seldom(fc.constant("text"), "hash", "RANDOM"),
    password: fc.oneof(text, fc.constant("$6$salt$hash")),
  });
  const hostKey = fc.constantFrom(
    "rsa_private",
    "ed25519_public",
    "ecdsa_certificate",
    "dsa_private",
  );
  const command = fc.oneof<fc.Arbitrary<Json>[]>(text, texts);
  const others = Object.fromEntries(Object.keys(otherKeys).map((key) => [key, anything]));
  return fc
    .tuple(
      some({
        hostname: text,
        fqdn: text,
        preserve_hostname: flag,
        timezone: text,
        locale: text,
        locale_configfile: text,
        keyboard: some({ layout: text, model: text, variant: text, options: text }),
        ntp: some({ enabled: flag, ntp_client: text, servers: texts, pools: texts, peers: texts }),
        groups: fc.oneof(text, list(fc.oneof(text, fc.dictionary(text, texts, { maxKeys: 2 })))),
        user: fc.oneof(text, user),
        users: fc.oneof(list(fc.oneof(name, user)), fc.dictionary(name, user, { maxKeys: 2 })),
        ssh_authorized_keys: texts,
        allow_public_ssh_keys: flag,
        disable_root: flag,
        disable_root_opts: text,
        ssh_pwauth: flag,
        password: seldom(text, "$6$salt$hash", null),
        chpasswd: some({
          expire: flag,
          list: seldom(fc.oneof(text, texts), "alice:$6$salt$hash", ["bob:R"]),
          users: list(password),
        }),
        ssh_keys: fc.dictionary(hostKey, text, { maxKeys: 2 }),
        ssh_genkeytypes: list(fc.constantFrom("rsa", "dsa", "ed25519")),
        ssh_deletekeys: flag,
        ssh_publish_hostkeys: some({ enabled: flag, blacklist: texts }),
        ssh_quiet_keygen: flag,
        ssh_import_id: fc.oneof(text, texts),
        ssh: some({ emit_keys_to_console: flag }),
        ssh_fp_console_blacklist: texts,
        ssh_key_console_blacklist: texts,
        no_ssh_fingerprints: flag,
        authkey_hash: fc.oneof(text, fc.constant("md5")),
        updates: some({ network: some({ when: list(fc.constantFrom("boot", "hotplug")) }) }),
        phone_home: some({
          url: fc.oneof(text, fc.constant("https://example.org/$INSTANCE_ID")),
          post: fc.oneof(text, texts, fc.constant("all")),
          tries: fc.nat(200),
        }),
        power_state: some({
          mode: fc.constantFrom("reboot", "halt"),
          delay: fc.oneof(text, fc.constant("now"), fc.nat()),
          message: text,
          timeout: fc.nat(),
          condition: fc.oneof(text, texts, flag),
        }),
        final_message: text,
        random_seed: some({
          file: text,
          data: text,
          encoding: fc.constantFrom("raw", "b64", "gz"),
          command: texts,
          command_required: flag,
        }),
        packages: list(fc.oneof(text, texts, some({ apt: texts, snap: texts }))),
        write_files: list(file),
        runcmd: list(command),
        bootcmd: list(command),
      }),
      machineKeys(text),
      fc.record(others, { requiredKeys: [] }).map((all) => Object.entries(all).slice(0, 2)),
    )
    .map(([config, machine, other]) => merged(Object.fromEntries(other), machine, config));
}

/** Keys of disks, names, services and tools, a few in each document. */
function machineKeys(text: fc.Arbitrary<string>): fc.Arbitrary<Json> {
  const list = (item: fc.Arbitrary<Json>) => fc.array(mostly(item), { maxLength: 3 });
  const texts = list(text);
  const flag = fc.boolean();
  const device = fc.oneof(
    text,
    fc.constantFrom("/dev/vdb", "sdb1", "LABEL=a", "a.1", "ephemeral0", "192.0.2.1:/a"),
  );
  const field = fc.oneof(
    device,
    fc.constantFrom("/data", "none", "swap", "ext4", "defaults,nofail"),
  );
  const fields = fc.array(fc.oneof(field, fc.constantFrom<Json>(null, "0", 2)), { maxLength: 7 });
  const size = fc.oneof(fc.constantFrom<Json>("auto", "2G", "512M", 1024 ** 3, 0), text);
  const mapping = fc.dictionary(text, anything, { maxKeys: 2 });
  const all: Readonly<Record<string, fc.Arbitrary<Json>>> = {
    mounts: list(fields),
    mount_default_fields: fields,
    swap: some({ filename: fc.oneof(text, fc.constant("/swap")), size, maxsize: size }),
    device_aliases: fc.dictionary(text, device, { maxKeys: 2 }),
    disk_setup: fc.dictionary(
      device,
      some({ table_type: text, layout: anything, overwrite: flag }),
    ),
    fs_setup: list(
      some({
        label: text,
        filesystem: fc.constantFrom("ext4", "xfs", "swap"),
        device,
        partition: fc.oneof(text, fc.constantFrom<Json>("auto", "none", 1)),
        overwrite: flag,
        replace_fs: text,
        extra_opts: fc.oneof(text, texts),
        cmd: fc.oneof(text, texts),
      }),
    ),
    growpart: some({ mode: fc.constantFrom<Json>("auto", "off", false), devices: texts }),
    resize_rootfs: fc.oneof(flag, fc.constant("noblock")),
    manage_etc_hosts: fc.oneof(flag, fc.constantFrom("localhost", "template")),
    manage_resolv_conf: flag,
    resolv_conf: some({
      nameservers: texts,
      searchdomains: texts,
      domain: text,
      options: mapping,
      sortlist: texts,
    }),
    ca_certs: some({ trusted: fc.oneof(text, texts), remove_defaults: flag }),
    rsyslog: fc.oneof(
      texts,
      some({
        configs: list(fc.oneof(text, some({ content: text, filename: text }))),
        remotes: fc.dictionary(text, text, { maxKeys: 2 }),
        config_filename: text,
        install_rsyslog: flag,
        packages: texts,
      }),
    ),
    wireguard: some({
      interfaces: list(
        some({ name: fc.oneof(text, fc.constant("wg0")), config_path: text, content: text }),
      ),
      readinessprobe: texts,
    }),
    ansible: some({
      install_method: fc.constantFrom("pip", "distro"),
      package_name: text,
      run_user: text,
      galaxy: some({ actions: list(texts) }),
      pull: list(some({ url: text, playbook_names: texts, diff: flag, tags: text })),
      setup_controller: some({
        repositories: list(some({ path: text, source: text })),
        run_ansible: list(some({ playbook_name: text, playbook_dir: text, forks: fc.nat(9) })),
      }),
    }),
    puppet: some({
      install: flag,
      version: text,
      conf: fc.dictionary(text, mapping, { maxKeys: 2 }),
      csr_attributes: mapping,
      exec: flag,
      exec_args: texts,
      start_service: flag,
    }),
    salt_minion: some({
      conf: mapping,
      grains: mapping,
      public_key: text,
      private_key: text,
      pki_dir: text,
    }),
    lxd: some({
      init: some({ network_address: text, network_port: fc.nat(9), storage_backend: text }),
      bridge: some({
        mode: fc.constantFrom("new", "none"),
        mtu: fc.nat(9),
        ipv4_address: text,
        ipv4_nat: flag,
      }),
      preseed: text,
    }),
    drivers: some({ nvidia: some({ "license-accepted": flag, version: text }) }),
    apt: some({
      sources: mapping,
      primary: list(mapping),
      conf: text,
      preserve_sources_list: flag,
    }),
    rpi: some({ interfaces: some({ i2c: flag, serial: fc.oneof(flag, some({ console: flag })) }) }),
    snap: some({ commands: fc.oneof(texts, mapping), assertions: texts }),
    package_upgrade: flag,
  };
  const usual = Object.entries(all).map(([key, value]) => [key, mostly(value)] as const);
  const known = new Set(Object.keys(all));
  const rest = cloudConfigModules
    .flatMap(({ keys }) => keys)
    .filter((key) => !known.has(key) && !ownSample.has(key))
    .map((key) => [key, anything] as const);
  const every = [...usual, ...rest];
  return fc
    .uniqueArray(fc.nat(every.length - 1), { maxLength: 4 })
    .chain((chosen) =>
      fc.record(Object.fromEntries(chosen.map((at) => every[at] ?? ["", anything]))),
    )
    .map((record) => ({ ...record }) as Json);
}

/** Keys that have samples of their own above. */
const ownSample = new Set([
  ...["hostname", "fqdn", "preserve_hostname", "timezone", "locale", "locale_configfile"],
  ...["keyboard", "ntp", "groups", "user", "users", "ssh_authorized_keys"],
  ...["allow_public_ssh_keys", "disable_root", "ssh_pwauth", "packages", "write_files"],
  ...["runcmd", "bootcmd"],
]);

/** The value as YAML, every character that is not plain ASCII as an escape. */
export function asYaml(value: Json): string {
  const escaped = (character: string) => {
    const code = (character.codePointAt(0) ?? 0).toString(16);
    return code.length > 4 ? `\\U${code.padStart(8, "0")}` : `\\u${code.padStart(4, "0")}`;
  };
  return JSON.stringify(value).replace(/[^ -~]/gu, escaped);
}
