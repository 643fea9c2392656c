import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { needs } from "#agent/datasources/images/make-images.ts";
import { filesBelow } from "./files-below.ts";
import { skipWithoutNix } from "./nix-machine.ts";
import { type StoryNode, storyNode } from "./story.ts";

t.setTimeout(600_000);
const skip = skipWithoutNix() || (needs("xorriso").skip ?? false);
const healthy = "  health: { passes: 1, interval: 5s, timeout: 5s }\n";
const unitName = "firstlight-command-runcmd.service";

function insert(node: StoryNode, lines: string, own = ""): void {
  const userData = `#cloud-config\n${lines}firstlight:\n${healthy}${own}`;
  node.insert("iso", { instanceId: "i-1", userData });
}

const currentUnit = ({ machine }: StoryNode, unit: string) =>
  machine.io().files.readText(`${machine.currentSystem()}/etc/systemd/system/${unit}`) ?? "";

const stampOf = (node: StoryNode) =>
  /^ConditionPathExists=!(\S+)$/m.exec(currentUnit(node, unitName))?.[1] ?? "";

/** Starts the unit of a command as systemd does: not at all where its stamp is there. */
async function startCommand(node: StoryNode): Promise<number | null | "passed over"> {
  if (existsSync(path.join(node.machine.root, stampOf(node)))) return "passed over";
  return await startUnit(node, unitName);
}

/** Runs the script of a unit with its credential, where it sees the machine's files at their places. */
async function startUnit(node: StoryNode, name: string): Promise<number | null> {
  const { machine } = node;
  const unit = currentUnit(node, name);
  const script = /^ExecStart=(\S+)/m.exec(unit)?.[1] ?? "";
  const [, secret = "", file = ""] = /^LoadCredential=([^:]+):(\S+)$/m.exec(unit) ?? [];
  const credentials = path.join(machine.root, "run/credentials");
  mkdirSync(credentials, { recursive: true });
  writeFileSync(path.join(credentials, secret), readFileSync(path.join(machine.root, file)));
  const mounts = ["var", "run", "etc"].map(
    (name) => `mount -n --bind "${machine.root}/${name}" /${name}`,
  );
  const user = process.getuid?.() === 0 ? [] : ["--map-root-user"];
  const { code } = await machine.run(
    ["unshare", "--mount", ...user, "sh", "-ec", `${mounts.join("\n")}\nexec "$0"`, script],
    { env: { CREDENTIALS_DIRECTORY: "/run/credentials" } },
  );
  return code;
}

t.test("a command runs once for its text, and how it ended stays", { skip }, async (t) => {
  const node = await storyNode(t);
  const { machine } = node;
  insert(node, "runcmd: [exit 7]\n");
  t.match(await node.firstlight(["boot"]), { code: 0 });
  t.match(await node.firstlight(["query", "commands.runcmd.state"]), { stdout: "waiting\n" });

  t.equal(await startCommand(node), 7);
  t.equal((await node.firstlight(["query", "commands.runcmd.exitCode"])).stdout, "7\n");
  t.match(await node.firstlight(["status"]), {
    code: 2,
    stdout: /^committed \(degraded\): generation 1/,
    stderr: /command runcmd ended with exit code 7; journalctl -u firstlight-command-runcmd/,
  });
  t.match(JSON.parse((await node.firstlight(["status", "--json"])).stdout), {
    commands: [{ name: "runcmd", state: "failed", exitCode: 7, endedAt: /Z$/ }],
  });
  t.match(await node.firstlight(["boot"]), { code: 2, stdout: /^unchanged/ }, "degraded");

  const stamp = stampOf(node);
  insert(node, "timezone: Europe/Zurich\nruncmd: [exit 7]\n");
  t.match(await node.firstlight(["boot"]), {
    code: 2,
    stdout: /^committed \(degraded\): generation 2/,
  });
  t.equal(stampOf(node), stamp);
  t.equal(await startCommand(node), "passed over", "in another generation");
  t.match(await node.firstlight(["rollback"]), {
    code: 2,
    stdout: /^committed \(degraded\): generation 3/,
  });
  t.match(await node.firstlight(["apply"]), {
    code: 2,
    stdout: /^committed \(degraded\): generation 4/,
  });
  t.equal(await startCommand(node), "passed over", "after a rollback and a commit again");

  insert(node, "timezone: Europe/Zurich\nruncmd: [exit 0]\n");
  const { plan } = JSON.parse((await node.firstlight(["plan", "--json"])).stdout);
  t.match(plan.units, { start: ["firstlight-commands.service"] }, "another text is started");
  t.match(await node.firstlight(["boot"]), { code: 0, stdout: /^committed: generation 5/ });
  t.not(stampOf(node), stamp);
  t.equal(await startCommand(node), 0);
  t.match(await node.firstlight(["status"]), { code: 0 });
  t.ok(existsSync(path.join(machine.root, stamp)), "the old stamp stays");
});

t.test("the password of an account that is there is set once", { skip }, async (t) => {
  const node = await storyNode(t);
  const { machine } = node;
  const shadow = path.join(machine.root, "etc/shadow");
  const hashOf = () => /^root:([^:]*):/m.exec(readFileSync(shadow, "utf8"))?.[1];
  const person = (hash: string) => {
    const text = readFileSync(shadow, "utf8");
    writeFileSync(
      shadow,
      text.replace(/^root:[^:]*:/m, () => `root:${hash}:`),
    );
  };
  const unit = "firstlight-passwords.service";
  const asks = (hash: string) =>
    insert(node, `users: [{name: root, lock_passwd: false, hashed_passwd: "${hash}"}]\n`);
  const first = `$6$first$${"a".repeat(86)}`;
  const second = `$6$second$${"b".repeat(86)}`;
  const image = `$6$image$${"c".repeat(86)}`;
  mkdirSync(path.dirname(shadow), { recursive: true });
  writeFileSync(path.join(machine.root, "etc/passwd"), "root:x:0:0::/root:/bin/sh\n");
  writeFileSync(shadow, `root:${image}:1::::::\n`);

  asks(first);
  t.match(await node.firstlight(["boot"]), { code: 0 });
  t.equal(hashOf(), image, "NixOS leaves it as it is");
  t.equal(await startUnit(node, unit), 0);
  t.equal(hashOf(), first);

  person(image);
  t.match(await node.firstlight(["boot"]), { code: 0, stdout: /^unchanged/ });
  t.equal(await startUnit(node, unit), 0);
  t.equal(hashOf(), image, "what a person has chosen stays");

  asks(second);
  const { plan } = JSON.parse((await node.firstlight(["plan", "--json"])).stdout);
  t.match(plan.units.start, [unit]);
  t.match(await node.firstlight(["boot"]), { code: 0, stdout: /^committed: generation 2/ });
  t.equal(await startUnit(node, unit), 0);
  t.equal(hashOf(), second);

  t.match(await node.firstlight(["rollback"]), { code: 0 });
  t.equal(await startUnit(node, unit), 0);
  t.equal(hashOf(), first, "the generation that is gone back to has its own");
  const holding = filesBelow(path.join(machine.root, "nix/store")).filter((file) =>
    /\$6\$(first|second)\$/.test(readFileSync(file, "utf8")),
  );
  t.strictSame(holding, [], "no hash is in the store");
});

t.test("hooks run around a change, and one may call it off", { skip }, async (t) => {
  const node = await storyNode(t);
  const { machine } = node;
  const log = path.join(t.testdir(), "log");
  const lines = () => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : []);
  const canary = "canary-h00k";
  const hooks = (code: number) => `  hooks:
    - name: save
      when: pre-update
      script: |
        : ${canary}
        echo "$FIRSTLIGHT_WHEN $(readlink ${machine.root}/run/current-system) $FIRSTLIGHT_SYSTEM" >> ${log}
        exit ${code}
    - { name: tell, when: post-update, command: [sh, -c, 'echo "$FIRSTLIGHT_WHEN" >> ${log}; exit 3'] }
    - { name: restore, when: post-rollback, command: [sh, -c, 'echo "$FIRSTLIGHT_WHEN" >> ${log}'] }
`;
  insert(node, "", hooks(0));
  t.match(await node.firstlight(["boot"]), {
    code: 2,
    stdout:
      /^committed \(degraded\): generation 1 .*; hook tell \(post-update\): it ended with exit code 3/,
  });
  const first = machine.currentSystem();
  t.strictSame(lines(), [`pre-update  ${first}`, "post-update"]);

  insert(node, "timezone: Europe/Zurich\n", hooks(9));
  const called = await node.firstlight(["boot"]);
  t.match(called, { code: 1, stdout: /^failed: save: it ended with exit code 9/ });
  t.equal(machine.currentSystem(), first, "nothing was activated");
  t.equal(lines().length, 3);

  rmSync(log);
  const check =
    "  health: { passes: 1, interval: 5s, timeout: 5s, checks: [{ type: file, path: /none }] }\n";
  node.insert("iso", {
    instanceId: "i-1",
    userData: `#cloud-config\ntimezone: Asia/Tokyo\nfirstlight:\n${check}${hooks(0)}`,
  });
  t.match(await node.firstlight(["boot"]), { code: 3, stdout: /^rolled-back/ });
  t.match(lines(), [/^pre-update \S+-nixos-system-\S+ \S+-nixos-system-\S+$/, "post-rollback"]);
  t.equal(machine.currentSystem(), first);

  const holding = filesBelow(path.join(machine.root, "nix/store")).filter((file) =>
    readFileSync(file).includes(canary),
  );
  t.strictSame(holding, [], "the text of a script is not in the store");
});
