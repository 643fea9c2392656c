import { rmSync } from "node:fs";
import path from "node:path";
import { armor, Encrypter } from "age-encryption";
import t from "tap";
import { addDisk } from "#agent/datasources/fake-machine.ts";
import { makeFat, needs, type Tree } from "#agent/datasources/images/make-images.ts";
import { canariesIn, canary, findCanaries } from "#integration/canaries.ts";
import { stick } from "#integration/story.ts";
import { firstlight, machine } from "./try-commands.ts";

t.setTimeout(120_000);

const tools = needs("mkfs.vfat", "mcopy");

/** Puts a stick into a machine, in place of the one that was there. */
function insert(root: string, tree: Tree, device = stick.device): void {
  rmSync(path.join(root, "sys/class/block", stick.name), { force: true });
  const image = makeFat(path.join(root, "../stick.img"), tree, { label: "FIRSTLIGHT" });
  addDisk(root, stick.name, { image, device, attributes: { removable: "1\n" } });
}

t.test(
  "a stick whose every word is sealed makes a machine, and another one is held",
  tools,
  async (t) => {
    const root = machine(t, "");
    rmSync(path.join(root, "var/lib/cloud"), { recursive: true });
    const said = firstlight(["identity", "--root", root, "--json"]);
    const { recipient, hostKey } = JSON.parse(said.stdout);
    t.equal(hostKey, null);
    const seal = async (text: string) => {
      const encrypter = new Encrypter();
      encrypter.addRecipient(recipient);
      return encrypter.encrypt(text);
    };
    const spec = `# ${canary("comment")}
hostname: sealed
health: { passes: 1, interval: 1ms, timeout: 1s }
files: [{ path: /root/token, secret: { secretRef: token } }]
`;
    const tree = {
      "meta-data": "instance-id: i-1\n",
      "spec.yaml.age": await seal(spec),
      "secrets/token.age": armor.encode(await seal(canary("token"))),
    };
    insert(root, tree);
    const boot = firstlight(["boot", "--root", root, "--driver", "dry", "-v"]);
    t.match(boot, { code: 0, stdout: /^committed: generation 1 / });
    const hits = findCanaries(root);
    t.match(
      hits.map(({ file, canaries: found }) => [path.dirname(file), found]),
      [["var/lib/firstlight/credentials", ["token"]]],
      "the secret is in the credential store, the document nowhere",
    );
    t.same(canariesIn(boot.stderr + boot.stdout), []);

    insert(root, { ...tree, "spec.yaml": "hostname: other\n" }, stick.device.replace("1-1", "1-2"));
    t.match(firstlight(["boot", "--root", root]), {
      code: 77,
      stdout: /^held: .*the datasource changed from usb .* to usb/,
    });
  },
);

t.test(
  "away from its node a document is looked at with the names that the node is given",
  async (t) => {
    const file = path.join(
      t.testdir({ "spec.yaml": "files: [{ path: /a, secret: { secretRef: token } }]\n" }),
      "spec.yaml",
    );
    const validate = (...more: readonly string[]) =>
      firstlight(["validate", file, "--kind", "spec", ...more]);
    t.match(validate(), { code: 4, stdout: /spec\/unknown-secret/ });
    t.match(validate("--secrets", "token"), { code: 0, stdout: "" });
  },
);
