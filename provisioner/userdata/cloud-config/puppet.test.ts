import t from "tap";
import { translateCloud } from "../sample-translation.ts";
import { checkCases } from "./check-cases.ts";

checkCases(t, [
  {
    name: "settings are files, a run is a script",
    yaml: "puppet:\n  start_service: false\n  conf: {main: {a: 1, b: true}, agent: {server: p.example.org}, ca_cert: PEM}\n  csr_attributes: {custom_attributes: {x: y}}\n  exec: true\n  exec_args: [--test, --waitforcert=60]\n",
    spec: {
      packages: ["puppet"],
      files: [
        { path: "/etc/puppetlabs/puppet/ssl/certs/ca.pem", content: "PEM", mode: "0644" },
        {
          path: "/etc/puppetlabs/puppet/puppet.conf",
          secret: { secretRef: "puppet-conf" },
          mode: "0640",
        },
        {
          path: "/etc/puppetlabs/puppet/csr_attributes.yaml",
          secret: { secretRef: "puppet-csr-attributes" },
          mode: "0640",
        },
      ],
      commands: [
        {
          name: "puppet-agent",
          when: "late",
          frequency: "instance",
          script: { secretRef: "puppet-agent" },
        },
      ],
    },
    secrets: {
      "puppet-conf": "[main]\na=1\nb=true\n\n[agent]\nserver=p.example.org\n",
      "puppet-agent": "#!/bin/sh\npuppet agent --test --waitforcert=60\n",
      "puppet-csr-attributes": '{\n  "custom_attributes": {\n    "x": "y"\n  }\n}\n',
    },
    says: ["warning user-data/taken-as-text 4:20 puppet.conf.main.a"],
  },
  {
    name: "places of one's own",
    yaml: "puppet: {install: false, start_service: false, conf_file: /a, ssl_dir: /s/, csr_attributes_path: /c, conf: {agent: {x: y}, ca_cert: z}}\n",
    spec: {
      files: [
        { path: "/s/certs/ca.pem", content: "z", mode: "0644" },
        { path: "/a", secret: { secretRef: "puppet-conf" }, mode: "0640" },
      ],
    },
    secrets: { "puppet-conf": "[agent]\nx=y\n" },
  },
  {
    name: "how it is installed has no meaning, but for a version; names are not filled in",
    yaml: "puppet: {install_type: aio, collection: a, aio_install_url: b, package_name: c, cleanup: true, version: '7', start_service: false, conf: {agent: {certname: '%f'}}}\n",
    spec: {
      packages: ["puppet"],
      files: [
        {
          path: "/etc/puppetlabs/puppet/puppet.conf",
          secret: { secretRef: "puppet-conf" },
          mode: "0640",
        },
      ],
    },
    secrets: { "puppet-conf": "[agent]\ncertname=%f\n" },
    says: [
      "note cloud-config/no-meaning 2:10 puppet.install_type",
      "note cloud-config/no-meaning 2:29 puppet.collection",
      "note cloud-config/no-meaning 2:44 puppet.aio_install_url",
      "note cloud-config/no-meaning 2:64 puppet.package_name",
      "note cloud-config/no-meaning 2:81 puppet.cleanup",
      "warning cloud-config/package-version 2:96 puppet.version",
      "warning cloud-config/unsupported-key 2:147 puppet.conf.agent.certname",
    ],
  },
  {
    name: "wrong types in each place",
    yaml: "puppet: {install: x, exec: [a], exec_args: 1, conf: {main: a, ca_cert: 2}, csr_attributes: b, conf_file: rel, start_service: false}\n",
    spec: { packages: ["puppet"] },
    says: [
      "error user-data/wrong-type 2:19 puppet.install",
      "error user-data/wrong-type 2:28 puppet.exec",
      "error user-data/wrong-type 2:44 puppet.exec_args",
      "error user-data/wrong-type 2:60 puppet.conf.main",
      "error user-data/wrong-type 2:72 puppet.conf.ca_cert",
      "error user-data/wrong-type 2:92 puppet.csr_attributes",
      "error user-data/wrong-type 2:106 puppet.conf_file",
    ],
  },
  {
    name: "an empty one says nothing",
    yaml: "puppet: {}\n",
    spec: {},
    says: ["note cloud-config/no-meaning 2:1 puppet"],
  },
  {
    name: "a text is none",
    yaml: "puppet: a\n",
    spec: {},
    says: ["error user-data/wrong-type 2:9 puppet"],
  },
]);

t.test("the agent runs as a unit", async (t) => {
  const { spec } = translateCloud("puppet: {install: true}\n");
  t.match(spec.units?.["puppet.service"], {
    text: /ExecStart=\/run\/current-system\/sw\/bin\/puppet agent --no-daemonize/,
    wantedBy: ["multi-user.target"],
  });
});
