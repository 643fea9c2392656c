import t from "tap";
import { checkCases } from "./check-cases.ts";

const environment = "systemd.services.nix-daemon.environment";

checkCases(t, [
  {
    name: "the proxies of apt are those of the Nix daemon",
    yaml: "apt: {proxy: 'http://a:1', https_proxy: 'http://b:2', ftp_proxy: 'http://c:3'}\n",
    spec: {
      options: {
        [`${environment}.http_proxy`]: "http://a:1",
        [`${environment}.https_proxy`]: "http://b:2",
        [`${environment}.ftp_proxy`]: "http://c:3",
      },
    },
  },
  {
    name: "of two for the same http_proxy counts",
    yaml: "apt: {proxy: 'http://a:1', http_proxy: 'http://b:2'}\n",
    spec: { options: { [`${environment}.http_proxy`]: "http://b:2" } },
    says: ["warning cloud-config/overridden 2:7 apt.proxy"],
  },
  {
    name: "the older keys",
    yaml: "apt_proxy: 'http://a:1'\napt_https_proxy: 'http://b:2'\n",
    spec: {
      options: {
        [`${environment}.http_proxy`]: "http://a:1",
        [`${environment}.https_proxy`]: "http://b:2",
      },
    },
  },
  {
    name: "a password stays out of the store",
    yaml: "apt: {https_proxy: 'http://user:pass@a:1'}\n",
    spec: {},
    says: ["warning cloud-config/plain-password 2:7 apt.https_proxy"],
  },
  {
    name: "a proxy is a text",
    yaml: "apt: {proxy: [a]}\napt_ftp_proxy: 1\n",
    spec: {},
    says: [
      "error user-data/wrong-type 2:14 apt.proxy",
      "error user-data/wrong-type 3:16 apt_ftp_proxy",
    ],
  },
]);
