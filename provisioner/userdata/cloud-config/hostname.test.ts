import t from "tap";
import { linesOf, translateCloud } from "../sample-translation.ts";
import { checkCases } from "./check-cases.ts";

checkCases(t, [
  { name: "a name alone", yaml: "hostname: edge-17\n", spec: { hostname: "edge-17" } },
  {
    name: "a name with a domain is split",
    yaml: "hostname: edge-17.plant.example.org\n",
    spec: { hostname: "edge-17", domain: "plant.example.org" },
  },
  {
    name: "an fqdn gives both, a final dot does not count",
    yaml: "fqdn: edge-17.example.org.\n",
    spec: { hostname: "edge-17", domain: "example.org" },
  },
  {
    name: "with both the name is that of hostname, the domain that of fqdn",
    yaml: "fqdn: a.example.org\nhostname: b\n",
    spec: { hostname: "b", domain: "example.org" },
  },
  {
    name: "a domain that fqdn overrides is named",
    yaml: "fqdn: a.example.org\nhostname: b.example.com\n",
    spec: { hostname: "b", domain: "example.org" },
    says: ["warning cloud-config/overridden 3:11 hostname"],
  },
  {
    name: "the meta-data names a machine that nothing else names",
    yaml: "",
    spec: { hostname: "ip-10", domain: "eu.example.org" },
    context: { hostname: "ip-10.eu.example.org" },
  },
  {
    name: "the document wins over the meta-data",
    yaml: "hostname: own\n",
    spec: { hostname: "own" },
    context: { hostname: "ip-10.eu.example.org" },
  },
  {
    name: "preserve_hostname leaves every name alone",
    yaml: "preserve_hostname: true\nhostname: x\nfqdn: x.example.org\n",
    spec: {},
    says: ["note cloud-config/overridden 3:1 hostname", "note cloud-config/overridden 4:1 fqdn"],
    context: { hostname: "meta" },
  },
  {
    name: "keys without meaning on NixOS are noted",
    yaml: "prefer_fqdn_over_hostname: true\ncreate_hostname_file: false\n",
    spec: {},
    says: [
      "note cloud-config/no-meaning 2:1 prefer_fqdn_over_hostname",
      "note cloud-config/no-meaning 3:1 create_hostname_file",
    ],
  },
  {
    name: "an empty name is none",
    yaml: 'hostname: ""\nfqdn: ""\n',
    spec: { hostname: "meta" },
    says: ["warning user-data/no-value 2:11 hostname", "warning user-data/no-value 3:7 fqdn"],
    context: { hostname: "meta" },
  },
  {
    name: "a number is no name",
    yaml: "hostname: 123\n",
    spec: {},
    says: ["error user-data/wrong-type 2:11 hostname"],
  },
  {
    name: "values of other kinds, in every key",
    yaml: "hostname: [a]\nfqdn: {b: c}\npreserve_hostname: perhaps\nprefer_fqdn_over_hostname: [d]\ncreate_hostname_file: 7\n",
    spec: {},
    says: [
      "error user-data/wrong-type 2:11 hostname",
      "error user-data/wrong-type 3:7 fqdn",
      "error user-data/wrong-type 4:20 preserve_hostname",
      "error user-data/wrong-type 5:28 prefer_fqdn_over_hostname",
      "error user-data/wrong-type 6:23 create_hostname_file",
    ],
  },
  {
    name: "what cannot be a name is refused at its line",
    yaml: "locale: C\nhostname: my_host\n",
    spec: { locale: "C" },
    says: ["error spec/invalid 3:11 hostname"],
  },
]);

t.test("free text in the meta-data is no name, and does not stop the boot", async (t) => {
  const translation = translateCloud("", { hostname: "My first VM" });
  t.equal(translation.spec.hostname, undefined);
  t.match(linesOf(translation), [/^warning user-data\/meta-data-hostname/]);
});
