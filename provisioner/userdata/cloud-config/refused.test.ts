import t from "tap";
import { linesOf, partOf, translateCloud } from "../sample-translation.ts";

/** What becomes of a section, with nothing in the spec. */
function said(yaml: string): readonly string[] {
  const translation = translateCloud(yaml);
  t.strictSame(partOf(translation), {}, yaml);
  for (const { hint, code } of translation.findings) {
    if (code === "cloud-config/unsupported-key") t.match(hint, /\S/, yaml);
  }
  return linesOf(translation);
}

const refused = (place: string) => `warning cloud-config/unsupported-key ${place}`;
const needless = (place: string) => `note cloud-config/no-meaning ${place}`;
const wrong = (place: string) => `error user-data/wrong-type ${place}`;

/** A document of a module that NixOS has nothing for, and what is said of it. */
const cases: readonly (readonly [string, readonly string[]])[] = [
  [
    "apt: {preserve_sources_list: true, sources: {a: {source: b}}, conf: c}\n",
    [
      needless("2:7 apt.preserve_sources_list"),
      refused("2:36 apt.sources"),
      refused("2:63 apt.conf"),
    ],
  ],
  [
    "apt: {primary: [{arches: [default]}], security: [], disable_suites: [a], sources_list: b}\n",
    [
      refused("2:7 apt.primary"),
      needless("2:39 apt.security"),
      refused("2:53 apt.disable_suites"),
      refused("2:74 apt.sources_list"),
    ],
  ],
  [
    "apt: {add_apt_repo_match: a, debconf_selections: {a: b}}\n",
    [needless("2:7 apt.add_apt_repo_match"), refused("2:30 apt.debconf_selections")],
  ],
  [
    "apt: {sources: [a], conf: {a: b}, primary: x, preserve_sources_list: 1, nothing: 1}\n",
    [
      wrong("2:16 apt.sources"),
      wrong("2:27 apt.conf"),
      wrong("2:44 apt.primary"),
      wrong("2:70 apt.preserve_sources_list"),
      refused("2:73 apt.nothing"),
    ],
  ],
  ["apt: a\n", [wrong("2:6 apt")]],
  ["apt_pipelining: false\n", [needless("2:1 apt_pipelining")]],
  ["apt_pipelining: os\n", [needless("2:1 apt_pipelining")]],
  ["apt_pipelining: bogus\n", ["warning cloud-config/unknown-value 2:1 apt_pipelining"]],
  ["apt_pipelining: [5]\n", [wrong("2:17 apt_pipelining")]],
  ["apt_mirror: a\napt_sources: [b]\n", [refused("2:1 apt_mirror"), refused("3:1 apt_sources")]],
  [
    "apk_repos: {preserve_repositories: true, alpine_repo: {version: v3}, local_repo_base_url: a}\n",
    [
      needless("2:13 apk_repos.preserve_repositories"),
      refused("2:42 apk_repos.alpine_repo"),
      refused("2:70 apk_repos.local_repo_base_url"),
    ],
  ],
  ["apk_repos: {alpine_repo: 3}\n", [wrong("2:26 apk_repos.alpine_repo")]],
  [
    "yum_repos: {a: {baseurl: b}}\nyum_repo_dir: /x\n",
    [refused("2:1 yum_repos"), needless("3:1 yum_repo_dir")],
  ],
  ["yum_repos: [a]\n", [wrong("2:12 yum_repos")]],
  [
    "zypper: {repos: [{id: a, baseurl: b}], config: {a: b}}\n",
    [refused("2:10 zypper.repos"), refused("2:40 zypper.config")],
  ],
  ["zypper: {repos: a, config: [b]}\n", [wrong("2:17 zypper.repos"), wrong("2:28 zypper.config")]],
  [
    "spacewalk: {server: a, proxy: b, activation_key: c}\n",
    [
      refused("2:13 spacewalk.server"),
      refused("2:24 spacewalk.proxy"),
      refused("2:34 spacewalk.activation_key"),
    ],
  ],
  [
    "rh_subscription: {org: 1, username: a, auto-attach: false, enable-repo: [b], add_pool: 2}\n",
    [
      refused("2:19 rh_subscription.org"),
      refused("2:27 rh_subscription.username"),
      needless("2:40 rh_subscription.auto-attach"),
      refused("2:60 rh_subscription.enable-repo"),
      wrong("2:88 rh_subscription.add_pool"),
    ],
  ],
  [
    "ubuntu_pro: {token: a, enable: [b], enable_beta: [], features: {disable_auto_attach: true}, config: {http_proxy: c}}\n",
    [
      refused("2:14 ubuntu_pro.token"),
      refused("2:24 ubuntu_pro.enable"),
      needless("2:37 ubuntu_pro.enable_beta"),
      needless("2:65 ubuntu_pro.features.disable_auto_attach"),
      refused("2:93 ubuntu_pro.config"),
    ],
  ],
  ["ubuntu_advantage: {token: a}\n", [refused("2:20 ubuntu_advantage.token")]],
  [
    "ubuntu_pro: {token: 1, enable: a}\n",
    [wrong("2:21 ubuntu_pro.token"), wrong("2:32 ubuntu_pro.enable")],
  ],
  ["autoinstall: {version: 1}\n", [refused("2:1 autoinstall")]],
  ["autoinstall: 1\n", [wrong("2:14 autoinstall")]],
  ["landscape: {client: {account_name: a}}\n", [refused("2:13 landscape.client")]],
  ["landscape: {client: a}\n", [wrong("2:21 landscape.client")]],
  [
    "fan: {config: a, config_path: /x}\n",
    [refused("2:7 fan.config"), needless("2:18 fan.config_path")],
  ],
  ["fan: {config: [a]}\n", [wrong("2:15 fan.config")]],
  [
    "grub_dpkg: {enabled: true, grub-pc/install_devices: /dev/sda, grub-pc/install_devices_empty: false, grub-efi/install_devices: a}\n",
    [
      needless("2:13 grub_dpkg.enabled"),
      refused("2:28 grub_dpkg.grub-pc/install_devices"),
      needless("2:63 grub_dpkg.grub-pc/install_devices_empty"),
      refused("2:101 grub_dpkg.grub-efi/install_devices"),
    ],
  ],
  ["grub-dpkg: {enabled: false}\n", [needless("2:13 grub-dpkg.enabled")]],
  ["byobu_by_default: enable-user\n", [refused("2:1 byobu_by_default")]],
  ["byobu_by_default: disable\n", [needless("2:1 byobu_by_default")]],
  ["byobu_by_default: true\n", [wrong("2:19 byobu_by_default")]],
  [
    "chef: {server_url: a, run_list: [b], exec: false, initial_attributes: {c: d}, omnibus_url_retries: 3}\n",
    [
      refused("2:8 chef.server_url"),
      refused("2:23 chef.run_list"),
      needless("2:38 chef.exec"),
      refused("2:51 chef.initial_attributes"),
      refused("2:79 chef.omnibus_url_retries"),
    ],
  ],
  [
    "chef: {server_url: 1, run_list: a}\n",
    [wrong("2:20 chef.server_url"), wrong("2:33 chef.run_list")],
  ],
  [
    "reporting: {a: {type: log, level: WARN}, b: {type: webhook, endpoint: c}, d: {}, e: f}\n",
    [
      needless("2:13 reporting.a"),
      refused("2:42 reporting.b"),
      refused("2:75 reporting.d"),
      wrong("2:85 reporting.e"),
    ],
  ],
  ["reporting: [a]\n", [wrong("2:12 reporting")]],
  ["mcollective: {conf: {a: b}}\n", [refused("2:15 mcollective.conf")]],
  ["mcollective: {conf: a}\n", [wrong("2:21 mcollective.conf")]],
  [
    "rpi: {interfaces: {i2c: true, spi: false, onewire: 1}, enable_usb_gadget: true}\n",
    [
      refused("2:20 rpi.interfaces.i2c"),
      needless("2:31 rpi.interfaces.spi"),
      wrong("2:52 rpi.interfaces.onewire"),
      refused("2:56 rpi.enable_usb_gadget"),
    ],
  ],
  [
    "package_update: true\npackage_upgrade: true\npackage_reboot_if_required: false\n",
    [
      needless("2:1 package_update"),
      "warning cloud-config/package-version 3:1 package_upgrade",
      needless("4:1 package_reboot_if_required"),
    ],
  ],
  [
    "apt_update: true\napt_upgrade: false\napt_reboot_if_required: true\n",
    [
      needless("2:1 apt_update"),
      needless("3:1 apt_upgrade"),
      needless("4:1 apt_reboot_if_required"),
    ],
  ],
  ["package_update: [a]\n", [wrong("2:17 package_update")]],
  ["apt: {}\n", [needless("2:1 apt")]],
];

for (const [yaml, expected] of cases) {
  t.test(yaml.trim(), async (t) => t.strictSame(said(yaml), expected));
}
