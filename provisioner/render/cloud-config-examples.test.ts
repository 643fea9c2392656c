import t from "tap";
import { cloudConfigModules } from "#provisioner/userdata/cloud-config/table.ts";
import { translateCloud } from "#provisioner/userdata/sample-translation.ts";
import { credentialsOf, fileOf, tryRender } from "./try-render.ts";

/** Documents of modules with an option that their example does not show. */
const further: Readonly<Record<string, string>> = {
  "peers of ntpd": "ntp: {ntp_client: ntp, peers: [a.example.org]}\n",
  "a sort list": "manage_resolv_conf: true\nresolv_conf: {sortlist: [192.0.2.0/255.255.255.0]}\n",
  "a preseed": "lxd: {preseed: 'config: {core.https_address: \"192.0.2.1:8443\"}'}\n",
  "a minion without a master": "salt_minion: {conf: {file_client: local}}\n",
  "a proxy of apt": "apt: {proxy: 'http://192.0.2.8:3128'}\n",
};
const examples = cloudConfigModules.map(({ name, example }) => [name, example] as const);

for (const [name, example] of [...examples, ...Object.entries(further)]) {
  t.test(`${name}: what it asks for sets options that NixOS has`, async (t) => {
    const { spec, origins } = translateCloud(example);
    const result = tryRender(spec, { credentials: credentialsOf(spec), origins });
    const said = result.findings.filter(({ level }) => level !== "note");
    t.strictSame(said, []);
    t.match(fileOf(result, "firstlight/instance.nix"), /services\.firstlight\.enable = true;/);
  });
}
