import { spawnSync } from "node:child_process";
import t from "tap";
import type { Network } from "#generated/provisioner/spec/v1.ts";
import { validate } from "#generated/provisioner/spec/v1.validate.js";
import { everyManagedNetwork } from "#provisioner/render/every-managed-network.ts";
import { everyNetwork } from "#provisioner/render/every-network.ts";
import { fileOf, tryRender } from "#provisioner/render/try-render.ts";
import { translate } from "#provisioner/userdata/translate.ts";
import { absent, networkConfigs } from "./cloud-config-set.ts";
import {
  lostSettings,
  parseKeyfile,
  readByNetworkManager,
  writtenProfiles,
} from "./manager-keyfiles.ts";
import { optionValue } from "./networkd-options.ts";
import { randomNetwork } from "./random-network.ts";

const program = spawnSync("nmcli", ["--version"], { encoding: "utf8" });
const noProgram = program.status === 0 ? false : "nmcli of NetworkManager is not on this machine";
const noCorpus = absent("network");

/** Networks at random; each is about a dozen profiles, and nmcli is started for each. */
const rounds = 30;

function rendered(network: Network) {
  const result = tryRender({ network: { ...network, renderer: "NetworkManager" } });
  return { ...result, module: fileOf(result, "firstlight/network.nix") };
}

const context = { hostname: "node", publicKeys: [], defaultUser: "nixos", fetched: new Map() };

function networkOf(name: string, text: string): Network {
  const networkConfig = { document: name, bytes: Buffer.from(text) };
  return translate({ networkConfig }, context).spec.network ?? {};
}

t.test(
  "NetworkManager's own library reads everything that can be said of a network",
  { skip: noProgram },
  async (t) => {
    for (const every of [everyNetwork, everyManagedNetwork]) {
      const { module } = rendered(structuredClone(every) as unknown as Network);
      const profiles = writtenProfiles(module);
      t.ok(profiles.length > 15, `${profiles.length} profiles`);
      for (const { name, text } of profiles)
        t.strictSame(lostSettings(parseKeyfile(text), readByNetworkManager(text)), [], name);
    }
  },
);

t.test("and would say so where a key is none, or is lost", { skip: noProgram }, async (t) => {
  const text = "[connection]\nid=a\ntype=dummy\ninterface-name=a\n\n[ipv4]\nmethod=auto\n";
  t.throws(() => readByNetworkManager(text.replace("auto", "automatic")), /ipv4\.method/);
  const misspelt = text.replace("method=auto", "method=auto\nmay-fial=false");
  t.strictSame(lostSettings(parseKeyfile(misspelt), readByNetworkManager(misspelt)), [
    "ipv4.may-fial=false -> nothing",
  ]);
});

t.test(
  "each network config of cloud-init becomes profiles that lose nothing, or findings",
  { skip: noCorpus || noProgram },
  async (t) => {
    for (const [name, text] of networkConfigs()) {
      const network = networkOf(name, text);
      const { module, findings } = rendered(network);
      t.strictSame(
        findings.filter(({ level }) => level === "error"),
        [],
        `${name} renders`,
      );
      const profiles = writtenProfiles(module);
      t.ok(profiles.length > 0, name);
      for (const each of profiles) {
        const read = readByNetworkManager(each.text);
        t.strictSame(lostSettings(parseKeyfile(each.text), read), [], `${name}: ${each.name}`);
      }
      t.equal(optionValue(module, "systemd.network.networks"), undefined, name);
      t.equal(optionValue(module, "systemd.network.netdevs"), undefined, name);
    }
  },
);

t.test(
  "and so does a network at random, which nobody would write",
  { skip: noProgram },
  async (t) => {
    const first = Number(process.env["SEED"] ?? 20_261_127);
    t.comment(`SEED=${first}`);
    let read = 0;
    for (let seed = first; seed < first + rounds; seed++) {
      const network = randomNetwork(seed);
      t.ok(validate({ version: 1, network }), `${seed}: ${JSON.stringify(validate.errors)}`);
      const { module, findings } = rendered(network);
      const errors = findings.filter(({ level }) => level === "error");
      t.strictSame(errors, [], `${seed} renders`);
      for (const { name, text } of writtenProfiles(module)) {
        const lost = lostSettings(parseKeyfile(text), readByNetworkManager(text));
        if (lost.length > 0) t.fail(`${seed}: ${name}: ${lost.join("; ")}`);
        read += 1;
      }
    }
    t.ok(read > rounds * 8, `${read} profiles`);
  },
);
