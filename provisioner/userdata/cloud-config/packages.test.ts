import t from "tap";
import { shippedTemplates, tryRender } from "#provisioner/render/try-render.ts";
import { translateCloud } from "../sample-translation.ts";
import { checkCases } from "./check-cases.ts";
import { packageAttributes } from "./package-names.ts";
import { fedoraAttributes } from "./package-names-fedora.ts";
import {
  serviceOptions,
  servicesAlone,
  servicesOtherwise,
  serviceTemplates,
} from "./package-services.ts";

checkCases(t, [
  {
    name: "attributes of nixpkgs, each once",
    yaml: "packages: [htop, htop, python3Packages.requests]\n",
    spec: { packages: ["htop", "python3Packages.requests"] },
  },
  { name: "one text is one package", yaml: "packages: htop\n", spec: { packages: ["htop"] } },
  {
    name: "names of Debian are mapped, with a note",
    yaml: "packages: [fd-find, build-essential, python3-yaml]\n",
    spec: { packages: ["fd", "gcc", "gnumake", "python3Packages.pyyaml"] },
    says: [
      "note cloud-config/package-mapped 2:12 packages.0",
      "note cloud-config/package-mapped 2:21 packages.1",
      "warning cloud-config/package-mapped 2:38 packages.2",
    ],
  },
  {
    name: "names of Fedora are mapped too",
    yaml: "packages: [bind-utils, vim-enhanced, gcc-c++, java-17-openjdk-headless, epel-release, openssl-devel, httpd]\n",
    spec: { packages: ["dnsutils", "vim", "gcc", "jdk17_headless"] },
    says: [
      "note cloud-config/package-mapped 2:12 packages.0",
      "note cloud-config/package-mapped 2:24 packages.1",
      "note cloud-config/package-mapped 2:38 packages.2",
      "note cloud-config/package-mapped 2:47 packages.3",
      "note cloud-config/package-unneeded 2:73 packages.4",
      "warning cloud-config/package-debian 2:87 packages.5",
      "warning cloud-config/package-unneeded 2:102 packages.6",
    ],
  },
  {
    name: "a name that is nearly another's is told, and taken all the same",
    yaml: "packages: [build-essental, grafama, cowsay]\n",
    spec: { packages: ["build-essental", "grafama", "cowsay"] },
    says: [
      "note cloud-config/package-near 2:12 packages.0",
      "note cloud-config/package-near 2:28 packages.1",
    ],
  },
  {
    name: "what NixOS needs no package for is left out",
    yaml: "packages: [ca-certificates, linux-image-generic]\n",
    spec: {},
    says: [
      "note cloud-config/package-unneeded 2:12 packages.0",
      "note cloud-config/package-unneeded 2:29 packages.1",
    ],
  },
  {
    name: "a name whose form is Debian's is left out with a warning",
    yaml: "packages: [libssl-dev, fonts-lato, ruby-json, ruby-lsp]\nfirstlight:\n  packages: [node-x]\n",
    spec: { packages: ["ruby-lsp", "node-x"] },
    says: [
      "warning cloud-config/package-debian 2:12 packages.0",
      "warning cloud-config/package-debian 2:24 packages.1",
      "warning cloud-config/package-debian 2:36 packages.2",
      "note cloud-config/package-unknown 2:47 packages.3",
    ],
  },
  {
    name: "a module of Python is guessed with a warning",
    yaml: "packages: [python3-flask]\n",
    spec: { packages: ["python3Packages.flask"] },
    says: ["warning cloud-config/package-debian 2:12 packages.0"],
  },
  {
    name: "a version in the name of Debian is one in the attribute",
    yaml: "packages: [gcc-12, openjdk-17-jdk-headless, python3.11-venv, php8.2, golang-1.22-go]\n",
    spec: { packages: ["gcc12", "jdk17_headless", "python311", "php82", "go_1_22"] },
    says: [
      "note cloud-config/package-mapped 2:12 packages.0",
      "note cloud-config/package-mapped 2:20 packages.1",
      "note cloud-config/package-mapped 2:45 packages.2",
      "note cloud-config/package-mapped 2:62 packages.3",
      "note cloud-config/package-mapped 2:70 packages.4",
    ],
  },
  {
    name: "a package that is there for its service loses something",
    yaml: "packages: [ufw]\n",
    spec: {},
    says: ["warning cloud-config/package-unneeded 2:12 packages.0"],
  },
  {
    name: "of one that is the program alone on NixOS the service is missed",
    yaml: "packages: [nginx, docker.io]\n",
    spec: { packages: ["nginx", "docker"] },
    says: [
      "warning cloud-config/package-service 2:12 packages.0",
      "warning cloud-config/package-service 2:19 packages.1",
      "note cloud-config/package-mapped 2:19 packages.1",
    ],
  },
  {
    name: "old names, and names that begin with a number",
    yaml: "packages: [git-core, 7zip, python3-dev]\n",
    spec: { packages: ["git", "_7zz", "python3"] },
    says: [
      "note cloud-config/package-mapped 2:12 packages.0",
      "note cloud-config/package-mapped 2:22 packages.1",
      "note cloud-config/package-mapped 2:28 packages.2",
    ],
  },
  {
    name: "a version is that of nixpkgs",
    yaml: "packages:\n  - [jq, '1.6']\n  - nginx=1.2\n",
    spec: { packages: ["jq", "nginx"] },
    says: [
      "warning cloud-config/package-version 3:10 packages.0.1",
      "warning cloud-config/package-version 4:5 packages.1",
      "warning cloud-config/package-service 4:5 packages.1",
    ],
  },
  {
    name: "a version and a release as apt takes them",
    yaml: "packages: ['git=1:2.34', 'nodejs=18.*', htop/bookworm-backports, 'a b=1']\n",
    spec: { packages: ["git", "nodejs", "htop"] },
    says: [
      "warning cloud-config/package-version 2:12 packages.0",
      "warning cloud-config/package-version 2:26 packages.1",
      "warning cloud-config/package-version 2:41 packages.2",
      "warning cloud-config/package-name 2:66 packages.3",
    ],
  },
  {
    name: "names that nixpkgs has otherwise",
    yaml: "packages: [nodejs-18, ceph-common, glusterfs-client, libpq5]\n",
    spec: { packages: ["nodejs_18", "ceph-client", "glusterfs"] },
    says: [
      "note cloud-config/package-mapped 2:12 packages.0",
      "note cloud-config/package-mapped 2:23 packages.1",
      "note cloud-config/package-mapped 2:36 packages.2",
      "note cloud-config/package-unneeded 2:54 packages.3",
    ],
  },
  {
    name: "a name with a capital is guessed with a warning",
    yaml: "packages: [Vim, OVMF]\n",
    spec: { packages: ["vim", "OVMF"] },
    says: [
      "warning cloud-config/package-debian 2:12 packages.0",
      "note cloud-config/package-unknown 2:17 packages.1",
    ],
  },
  {
    name: "a name that no table has is noted, with the one that it looks like",
    yaml: "packages: [ngnix, htpo, gti, iptables, htop, some-tool]\n",
    spec: { packages: ["ngnix", "htpo", "gti", "iptables", "htop", "some-tool"] },
    says: [
      "note cloud-config/package-near 2:12 packages.0",
      "note cloud-config/package-near 2:19 packages.1",
      "note cloud-config/package-unknown 2:25 packages.2",
      "note cloud-config/package-unknown 2:46 packages.5",
    ],
  },
  {
    name: "what a desktop or a driver brings is set by options",
    yaml: "packages: [nvidia-driver, nvidia-driver-535, nvidia-docker2, xfce4, xorg]\n",
    spec: {},
    says: [
      "warning cloud-config/package-unneeded 2:12 packages.0",
      "warning cloud-config/package-unneeded 2:27 packages.1",
      "warning cloud-config/package-unneeded 2:46 packages.2",
      "warning cloud-config/package-unneeded 2:62 packages.3",
      "warning cloud-config/package-unneeded 2:69 packages.4",
    ],
  },
  {
    name: "packages by package manager",
    yaml: "packages:\n  - apt: [htop, [jq, 1.6-1]]\n  - snap: [core, [yq, edge]]\n",
    spec: { packages: ["htop", "jq", "yq"] },
    says: [
      "warning cloud-config/package-version 3:22 packages.0.apt.1.1",
      "note cloud-config/package-unneeded 4:12 packages.1.snap.0",
      "warning cloud-config/package-snap 4:19 packages.1.snap.1.0",
      "warning cloud-config/package-version 4:23 packages.1.snap.1.1",
    ],
  },
  {
    name: "a package manager that nobody knows",
    yaml: "packages: [{brew: [htop]}]\n",
    spec: {},
    says: ["warning cloud-config/unsupported-key 2:13 packages.0.brew"],
  },
  {
    name: "neither a name nor a pair",
    yaml: "packages: [[p2], [a, b, c], 7]\n",
    spec: {},
    says: [
      "error user-data/wrong-type 2:12 packages.0",
      "error user-data/wrong-type 2:18 packages.1",
      "error user-data/wrong-type 2:29 packages.2",
    ],
  },
  { name: "an empty list", yaml: "packages: []\n", spec: {} },
  {
    name: "nothing counts as absent",
    yaml: "packages:\n",
    spec: {},
    says: ["warning user-data/no-value 2:10 packages"],
  },
]);

/** Options whose value is no truth value. */
const ofSeveral: ReadonlySet<string> = new Set([
  "networking.wg-quick.interfaces",
  "security.acme.certs",
  "services.openvpn.servers",
  "services.phpfpm.pools",
]);

t.test("options and templates of services exist, and are named", async (t) => {
  const names = [...Object.values(serviceOptions), ...Object.values(servicesAlone)];
  const options = Object.fromEntries(
    [...names, "services.phpfpm.pools", "services.httpd.enablePHP"].map((name) => {
      return [name, ofSeveral.has(name) ? {} : true];
    }),
  );
  t.strictSame(tryRender({ options }).findings, []);
  for (const name of Object.values(serviceTemplates)) t.ok(shippedTemplates.get(name), name);
  const { findings } = translateCloud("packages: [redis, docker-ce, ufw, postgresql-15]\n");
  t.match(findings, [
    { hint: "set services.redis.servers.main.enable under `firstlight: options`" },
    { hint: "name the template docker-host under `firstlight: templates`" },
    { code: "cloud-config/package-mapped" },
    { hint: "set networking.firewall.enable under `firstlight: options`" },
    { hint: "set services.postgresql.enable under `firstlight: options`" },
  ]);
});

const attribute = /^[A-Za-z_][\w'-]*(\.[A-Za-z_][\w'-]*)*$/;

t.test("the tables say one thing of a name, and only what can be an attribute", async (t) => {
  const alone = { ...servicesAlone, ...servicesOtherwise };
  for (const name of Object.keys(alone)) {
    t.notOk(Object.hasOwn(packageAttributes, name), `${name} is mapped as well`);
    t.notOk(Object.hasOwn(serviceOptions, name), `${name} is a program as well`);
  }
  for (const name of Object.keys(fedoraAttributes)) {
    const isTwice = [packageAttributes, alone].some((table) => Object.hasOwn(table, name));
    t.notOk(isTwice, `${name} stands in another table as well`);
  }
  const both = [...Object.entries(packageAttributes), ...Object.entries(fedoraAttributes)];
  for (const [name, mapped] of both) {
    for (const each of [mapped ?? []].flat()) t.match(each, attribute, name);
  }
});

t.test("the usual packages of servers that run a service are all known", async (t) => {
  const usual = `apparmor auditd avahi-daemon bind9 bluetooth chrony cloud-guest-utils cron cups
    dnsmasq dovecot-core exim4 fail2ban flatpak fwupd grafana haproxy hostapd incus k3s
    libapache2-mod-php8.2 libvirt-daemon lxd mariadb-server memcached mosquitto mysql-server
    mysql-server-8.0 nfs-kernel-server nftables ntp open-vm-tools openvpn php-fpm php8.2-fpm podman
    postfix postgresql postgresql-15 prometheus prometheus-node-exporter qemu-guest-agent
    rabbitmq-server redis-server rsyslog samba slapd snapd snmpd tailscale tomcat9 ufw
    unattended-upgrades unbound wireguard zerotier-one`.split(/\s+/);
  for (const name of usual) {
    const { findings } = translateCloud(`packages: [${name}]\n`);
    const warned = findings.filter(({ level, hint }) => level === "warning" && hint !== null);
    t.equal(warned.length, 1, name);
  }
});

t.test("names that only Debian has never pass without a word", async (t) => {
  const names = `python3-pip python3-venv python3-flask libfoo-dev libapache2-mod-wsgi-py3 php-curl
    php8.2-mysql libjson-perl r-cran-dplyr node-express golang-github-spf13-cobra-dev libc6-dbg
    fonts-noto linux-image-amd64 texlive-latex-extra libglib2.0-0 firmware-iwlwifi ruby-rails
    openjdk-17-jdk postgresql-client-15 zlib1g-dev wireguard-dkms`.split(/\s+/);
  for (const name of names) {
    const { spec, findings } = translateCloud(`packages: [${name}]\n`);
    t.notSame(findings, [], name);
    t.notOk(spec.packages?.includes(name), name);
  }
});

t.test("hints name what an option alone does not do", async (t) => {
  const hintOf = (name: string) => translateCloud(`packages: [${name}]\n`).findings[0]?.hint;
  t.match(hintOf("python3-requests"), "`python3.withPackages (ps: [ ps.requests ])`");
  t.match(hintOf("python3-flask"), "`python3.withPackages (ps: [ ps.flask ])`");
  t.match(hintOf("mysql-server"), "services.mysql.package to pkgs.mariadb");
  t.match(hintOf("nvidia-driver"), "unfree: [nvidia-x11]");
  t.match(hintOf("nfs-common"), "boot.supportedFilesystems.nfs");
  t.match(hintOf("certbot"), "security.acme.certs");
  t.match(translateCloud("packages: [fail2ban, certbot]\n").spec, {
    packages: ["fail2ban", "certbot"],
  });
});
