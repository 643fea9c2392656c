import t from "tap";
import { tryRender } from "#provisioner/render/try-render.ts";
import { linesOf, translateCloud } from "../sample-translation.ts";
import { checkCases } from "./check-cases.ts";

checkCases(t, [
  {
    name: "servers, domains and options",
    yaml: "manage_resolv_conf: true\nresolv_conf:\n  nameservers: [192.0.2.53]\n  searchdomains: [a.example.org]\n  domain: example.org\n  options: {rotate: true, debug: false, timeout: 1, ndots: '2'}\n",
    spec: {
      resolver: {
        nameservers: ["192.0.2.53"],
        search: ["example.org", "a.example.org"],
        options: ["rotate", "timeout:1", "ndots:2"],
      },
    },
  },
  {
    name: "a sort list is handed to resolvconf; what a shell would read stays out",
    yaml: 'manage_resolv_conf: yes\nresolv_conf: {sortlist: [192.0.2.1/255.255.255.0, "a\';b"]}\n',
    spec: {
      options: {
        "networking.resolvconf.extraConfig": "resolv_conf_sortlist='192.0.2.1/255.255.255.0'\n",
      },
    },
    says: ["error user-data/wrong-type 3:51 resolv_conf.sortlist.1"],
  },
  {
    name: "without manage_resolv_conf it has no effect",
    yaml: "resolv_conf: {nameservers: [192.0.2.53]}\n",
    spec: {},
    says: ["warning cloud-config/overridden 2:1 resolv_conf"],
  },
  {
    name: "false is so anyway",
    yaml: "manage_resolv_conf: false\nresolv_conf: {domain: a}\n",
    spec: {},
    says: [
      "note cloud-config/no-meaning 2:1 manage_resolv_conf",
      "warning cloud-config/overridden 3:1 resolv_conf",
    ],
  },
  {
    name: "true alone has nothing to write",
    yaml: "manage_resolv_conf: true\n",
    spec: {},
    says: ["warning cloud-config/no-meaning 2:1 manage_resolv_conf"],
  },
  {
    name: "wrong types in each place",
    yaml: "manage_resolv_conf: true\nresolv_conf: {nameservers: a, searchdomains: [1], domain: [a], options: [rotate], sortlist: [1]}\n",
    spec: {},
    says: [
      "error user-data/wrong-type 3:28 resolv_conf.nameservers",
      "error user-data/wrong-type 3:47 resolv_conf.searchdomains.0",
      "error user-data/wrong-type 3:59 resolv_conf.domain",
      "error user-data/wrong-type 3:73 resolv_conf.options",
      "error user-data/wrong-type 3:94 resolv_conf.sortlist.0",
    ],
  },
  {
    name: "options are flags, numbers and texts",
    yaml: "manage_resolv_conf: true\nresolv_conf: {options: {a: [1], b: 1.5}}\n",
    spec: {},
    says: [
      "error user-data/wrong-type 3:28 resolv_conf.options.a",
      "error user-data/wrong-type 3:36 resolv_conf.options.b",
    ],
  },
  {
    name: "a list is no resolver, a number no wish",
    yaml: "manage_resolv_conf: 7\nresolv_conf: [a]\n",
    spec: {},
    says: [
      "error user-data/wrong-type 2:21 manage_resolv_conf",
      "warning cloud-config/overridden 3:1 resolv_conf",
    ],
  },
]);

t.test(
  "of several servers, domains and options the one that does not fit is pointed at",
  async (t) => {
    const body =
      'manage_resolv_conf: true\nresolv_conf:\n  nameservers:\n    - 192.0.2.53\n    - 192.0.2.53\n    - nope\n  domain: a/b\n  searchdomains: [example.org, c/d]\n  options: {rotate: true, x: "\';y"}\n';
    const { spec, findings, origins } = translateCloud(body);
    t.same(findings, []);
    t.same(linesOf(tryRender(spec, { origins })), [
      "error render/text 7:7 resolver.nameservers.1",
      "error render/text 8:11 resolver.search.0",
      "error render/text 9:32 resolver.search.2",
      "error render/text 10:30 resolver.options.1",
    ]);
  },
);
