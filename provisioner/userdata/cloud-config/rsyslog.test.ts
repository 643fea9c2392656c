import t from "tap";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { checkCases } from "./check-cases.ts";

const enabled = { "services.rsyslogd.enable": true };
const extra = (text: string, more: Partial<Spec> = {}) => ({
  spec: {
    ...more,
    options: {
      ...enabled,
      "services.rsyslogd.extraConfig":
        "$IncludeConfig /run/credentials/syslog.service/rsyslog-rules\n",
    },
    units: { "syslog.service": { credentials: [{ secretRef: "rsyslog-rules" }] } },
  },
  secrets: { "rsyslog-rules": text },
});

const listening = `module(load="imudp")
input(type="imudp" port="514")
input(type="imudp" port=["515", "516"])
input(type="imudp" port="517" address="127.0.0.1")
input(type="imtcp"
  port = "10514")
input(type="imfile" file="/x" port="1")
# input(type="imtcp" port="2")
$InputTCPServerRun 601
$UDPServerRun 518
$UDPServerAddress 127.0.0.1
$UDPServerRun 519
input(type="imptcp" port="99999")
input(type="imrelp" port="2514"`;

checkCases(t, [
  {
    name: "rules in the order of their files",
    yaml: "rsyslog:\n  configs:\n    - '*.* @@192.0.2.1'\n    - {filename: 90-b.conf, content: b}\n    - {filename: 10-a.conf, content: \"a\\n\"}\n    - {content: c}\n",
    ...extra("a\n*.* @@192.0.2.1\nc\nb\n"),
  },
  {
    name: "a name of its own for what has none",
    yaml: "rsyslog: {config_filename: 00-x.conf, configs: [x, {filename: 10-a.conf, content: a}]}\n",
    ...extra("x\na\n"),
  },
  {
    name: "the older form is a list",
    yaml: "rsyslog: [a, {content: b}]\nrsyslog_filename: x\nrsyslog_dir: /x\n",
    ...extra("a\nb\n"),
    says: [
      "note cloud-config/no-meaning 3:1 rsyslog_filename",
      "note cloud-config/no-meaning 4:1 rsyslog_dir",
    ],
  },
  {
    name: "remotes",
    yaml: "rsyslog:\n  remotes:\n    a: 192.0.2.1\n    b: '@@192.0.2.2:514 # there'\n    c: 'auth.* @[2001:db8::1]:10514'\n",
    ...extra("# a\n*.* @192.0.2.1\n# b\n*.* @@192.0.2.2:514\n# c\nauth.* @[2001:db8::1]:10514\n"),
  },
  {
    name: "where rules listen for others is open",
    yaml: `rsyslog:\n  configs:\n    - content: |\n${listening.replace(/^/gm, "        ")}\n`,
    ...extra(`${listening}\n`, {
      firewall: { tcpPorts: [10_514, 601], udpPorts: [514, 515, 516, 518] },
    }),
  },
  {
    name: "a remote that is none",
    yaml: "rsyslog: {configs: [x], remotes: {a: 'a b c', b: 1, c: '2001:db8::1'}}\n",
    ...extra("x\n"),
    says: [
      "error user-data/wrong-type 2:38 rsyslog.remotes.a",
      "error user-data/wrong-type 2:50 rsyslog.remotes.b",
      "error user-data/wrong-type 2:56 rsyslog.remotes.c",
    ],
  },
  {
    name: "how it is installed and started is NixOS's own",
    yaml: "rsyslog:\n  config_dir: /x\n  service_reload_command: [a]\n  install_rsyslog: true\n  check_exe: rsyslogd\n  packages: [rsyslog]\n",
    spec: { options: enabled },
    says: [
      "note cloud-config/no-meaning 3:3 rsyslog.config_dir",
      "note cloud-config/no-meaning 4:3 rsyslog.service_reload_command",
      "note cloud-config/no-meaning 5:3 rsyslog.install_rsyslog",
      "note cloud-config/no-meaning 6:3 rsyslog.check_exe",
      "note cloud-config/no-meaning 7:3 rsyslog.packages",
    ],
  },
  {
    name: "an empty section asks for nothing",
    yaml: "rsyslog: {}\n",
    spec: {},
    says: ["note cloud-config/no-meaning 2:1 rsyslog"],
  },
  {
    name: "wrong types in each place",
    yaml: "rsyslog: {configs: [1, {filename: a}, {content: 2}], config_filename: 3, remotes: [a], packages: [4], service_reload_command: a}\n",
    spec: {},
    says: [
      "error user-data/wrong-type 2:21 rsyslog.configs.0",
      "error user-data/wrong-type 2:24 rsyslog.configs.1",
      "error user-data/wrong-type 2:49 rsyslog.configs.2.content",
      "error user-data/wrong-type 2:71 rsyslog.config_filename",
      "error user-data/wrong-type 2:83 rsyslog.remotes",
      "note cloud-config/no-meaning 2:88 rsyslog.packages",
      "error user-data/wrong-type 2:99 rsyslog.packages.0",
      "note cloud-config/no-meaning 2:103 rsyslog.service_reload_command",
      "warning cloud-config/unknown-value 2:127 rsyslog.service_reload_command",
    ],
  },
  {
    name: "a text is no section",
    yaml: "rsyslog: a\n",
    spec: {},
    says: ["error user-data/wrong-type 2:10 rsyslog"],
  },
]);
