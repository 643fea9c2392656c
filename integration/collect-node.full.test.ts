import t from "tap";
import { needs } from "#agent/datasources/images/make-images.ts";
import { grownNode, wrongAfterCollection } from "./grown-node.ts";
import { skipWithoutNix } from "./nix-machine.ts";

t.setTimeout(600_000);
const skip = skipWithoutNix() || (needs("xorriso").skip ?? false);
t.test(
  "old generations go with their sources, their secrets and their paths",
  { skip },
  async (t) => {
    const node = await grownNode(t);
    const { machine } = node;
    const before = machine.profileGenerations();
    const lost = before[0]?.system ?? "";
    const dry = await node.firstlight(["collect", "--dry-run"]);
    t.match(dry, { code: 0, stdout: /^ {3}1 {2}goes {2}not one of the newest 1\n/ });
    t.match(
      dry.stdout,
      /^ {3}2 {2}stays {2}previous good\n {3}3 {2}stays {2}runs, boot default\n/m,
    );
    t.strictSame(machine.profileGenerations(), before, "a dry run changes nothing");

    const history = await node.firstlight(["history"]);
    t.match(history.stdout, /^ {3}3 {2}.* release-three .*\[runs, boot default\]$/m);
    t.match(history.stdout, /^ {3}2 {2}.* release-two .*\[previous good\]$/m);
    const label = machine.io().files.readText(`${before[2]?.system}/nixos-version`);
    t.match(label, /^release-three-/, "boot entries show it: they carry the label of the system");

    const units = `${before[2]?.system}/etc/systemd/system`;
    t.match(
      machine.io().files.readText(`${units}/firstlight-maintenance.timer`),
      /^OnCalendar=Sat 04:00$/m,
      "it is done when the settings of the image say",
    );
    t.match(
      machine.io().files.readText(`${units}/firstlight-maintenance.service`),
      /^ExecStart=.*\/bin\/firstlight collect --sandboxed$/m,
    );

    t.match(await node.firstlight(["collect"]), {
      code: 0,
      stdout: /^1 generation, the sources of 1 system, [0-9] secrets? went$/m,
    });
    t.strictSame(wrongAfterCollection(node, lost), []);

    await t.test("and the node goes on: back to what is left, and forward again", async (t) => {
      t.match(await node.firstlight(["rollback"]), {
        code: 0,
        stdout: /^committed: generation 4 runs/,
      });
      t.equal(machine.io().files.readText("/etc/motd"), "two\n");
      t.match(await node.firstlight(["apply"]), { code: 0, stdout: /^committed/ });
      t.match(await node.firstlight(["rollback", "1"]), { code: 1, stderr: /no generation 1/ });
    });
  },
);

t.test("a pinned generation stays until it is let go", { skip }, async (t) => {
  const node = await grownNode(t);
  const numbers = () => node.machine.profileGenerations().map(({ number }) => number);
  t.match(await node.firstlight(["history", "--pin", "1"]), {
    code: 0,
    stdout: /^ {3}1 {2}.*\[pinned\]$/m,
    stderr: /generation 1 is pinned/,
  });
  t.match(await node.firstlight(["history", "--pin", "x"]), { code: 4 });
  await node.firstlight(["collect"]);
  t.strictSame(numbers(), [1, 2, 3]);
  t.match(await node.firstlight(["rollback", "1"]), { code: 0 }, "with its secrets");
  await node.firstlight(["history", "--unpin", "1"]);
  await node.firstlight(["collect"]);
  t.notOk(numbers().includes(2), "the one before the last is no longer the previous good one");
});
