import t from "tap";
import { validate } from "#generated/provisioner/spec/v1.validate.js";
import { translate } from "#provisioner/userdata/translate.ts";
import { readYaml } from "#provisioner/userdata/yaml.ts";
import { absent, countLeaves, networkConfigs } from "./cloud-config-set.ts";

const context = { hostname: "node", publicKeys: [], defaultUser: "nixos", fetched: new Map() };

t.test(
  "each network config of cloud-init is accounted for, leaf by leaf",
  { skip: absent("network") },
  async (t) => {
    const configs = networkConfigs();
    t.ok(configs.length > 0);
    for (const [name, text] of configs) {
      const networkConfig = { document: name, bytes: Buffer.from(text) };
      const { spec, findings, coverage } = translate({ networkConfig }, context);
      const { value } = readYaml(text, { document: name });
      t.ok(validate(spec), name);
      const { translated, agent, unsupported } = coverage;
      t.equal(translated + agent + unsupported, countLeaves(value), name);
      t.ok(unsupported === 0 || findings.length > 0, `${name}: what is not used is named`);
      t.strictSame(
        findings.filter(({ level }) => level === "error"),
        [],
        name,
      );
    }
  },
);
