import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import t, { type Test } from "tap";
import { receive } from "#agent/update/receive.ts";
import { entry } from "#cli/try-commands.ts";
import { sha256 } from "#core/canonical-json.ts";
import { fakeIo } from "#core/fake-io.ts";
import { createLog } from "#core/log.ts";
import { fakeEntry, fakeManifest } from "#provisioner/system/fetch/fake-closure.ts";
import { parseSignedClosure } from "#provisioner/system/fetch/verify-manifest.ts";

// Each command is a process of its own.
t.setTimeout(600_000);

const passphrase = "correct horse battery";
const spec = "#firstlight\nversion: 1\nhostname: edge\n";

function firstlight(args: readonly string[], input: string) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [entry, ...args], {
    encoding: "utf8",
    input,
    timeout: 60_000,
  });
  return { code: status, stdout, stderr };
}

/** `firstlight fleet` in a directory of the test; `--dir` names it. */
function fleetIn(t: Test) {
  const place = t.testdir({ "spec.yaml": spec });
  const dir = path.join(place, "fleet");
  const keyFile = path.join(place, "identity.txt");
  const keygen = execFileSync("age-keygen", ["-o", keyFile], { encoding: "utf8", stdio: "pipe" });
  const recipient =
    /age1[a-z0-9]+/.exec(`${keygen}${readFileSync(keyFile, "utf8")}`)?.[0] ?? "no recipient";
  const fleet = (args: readonly string[], input = "") =>
    firstlight(["fleet", ...args, "--dir", dir], input);
  const done = (args: readonly string[], input = "") => {
    const result = fleet(args, input);
    t.equal(result.code, 0, `${args.join(" ")}: ${result.stderr}`);
    return result;
  };
  const waiting = () => JSON.parse(done(["sign", "--json"]).stdout).waiting;
  const sign = (name: string, more: readonly string[] = ["--identity", keyFile]) => {
    const digests = waiting().map(({ digest }: { digest: string }) => digest);
    return done(["sign", "--key", name, "--digest", digests.join(","), ...more], passphrase);
  };
  return { place, dir, recipient, keyFile, fleet, done, waiting, sign };
}

/** A node whose image has the first root of the fleet. */
function nodeOf(place: string, dir: string) {
  const root = path.join(place, "node");
  mkdirSync(path.join(root, "etc"), { recursive: true });
  mkdirSync(path.join(root, "run/systemd/timesync"), { recursive: true });
  writeFileSync(path.join(root, "run/systemd/timesync/synchronized"), "");
  cpSync(path.join(dir, "metadata/1.root.json"), path.join(root, "etc/root.json"));
  const io = fakeIo(root);
  io.clock.jump(Date.now() - io.clock.now());
  const deps = {
    ...{ io, log: createLog(io.clock, () => {}), rootFile: "/etc/root.json" },
    node: { fleet: "plant-7", node: "edge-17" },
  };
  return (file: string) => receive({ topic: "desired", bytes: readFileSync(file) }, deps);
}

t.test(
  "from an empty directory to what a node takes, and through new keys of every role",
  async (t) => {
    const { place, dir, recipient, keyFile, fleet, done, waiting, sign } = fleetIn(t);
    const stick = path.join(place, "stick");
    const specFile = path.join(place, "spec.yaml");

    // One owner's key is sealed to a passphrase, and one lies in a program; the rest is sealed to age.
    mkdirSync(dir);
    done(["keys", "new", "alice", "--passphrase-fd", "0"], passphrase);
    t.equal(
      spawnSync("age", ["-d", "-i", keyFile, path.join(dir, "keys/alice.age")]).status === 0,
      false,
      "sealed to the passphrase only",
    );
    const program = writeSigner(place);
    done(["keys", "new", "card", "--signer", program]);
    done([
      ...[
        "init",
        dir,
        "--fleet",
        "plant-7",
        "--root-keys",
        "alice,bob,carol",
        "--recipient",
        recipient,
      ],
      ...["--targets-keys", "dora,card", "--builders", "builder-x86=hydra"],
    ]);
    t.match(
      execFileSync("age", ["-d", "-i", keyFile, path.join(dir, "keys/bob.age")], {
        encoding: "utf8",
      }),
      /^-----BEGIN PRIVATE KEY-----/,
      "age itself opens a key",
    );
    t.match(
      waiting(),
      [{ role: "targets", missing: [{ have: 1, need: 2 }] }],
      "two roots had keys",
    );
    sign("card", ["--signer", program]);
    t.same(waiting(), []);

    const added = done([
      "release",
      "add",
      specFile,
      "--name",
      "one",
      "--platforms",
      "x86_64-linux",
    ]);
    t.match(added.stderr, /release\/one: new: number 1; on x86_64-linux/);
    t.match(fleet(["sign", "--key", "dora", "--identity", keyFile]), {
      code: 77,
      stderr: /signing\/unconfirmed/,
    });
    t.match(fleet(["sign", "--key", "dora", "--digest", "0", "--identity", keyFile]), { code: 77 });
    sign("dora");
    t.match(fleet(["assign", "edge-17", "one"]), { code: 1, stderr: /signing\/not-signed/ });
    t.match(sign("card", ["--signer", program]).stderr, /targets 2 is signed and counts/);
    done(["assign", "edge-17", "one", "--rollout", "spring"]);
    done(["export", "--node", "edge-17", "--out", stick]);
    const submit = nodeOf(place, dir);
    const message = path.join(stick, "desired.json");
    t.match(await submit(message), { kind: "assigned", updateId: "u-1-one" });

    const verifyMessage = [
      ...["verify", message, "--root-file", path.join(dir, "metadata/1.root.json")],
      ...["--fleet", "plant-7", "--node", "edge-17"],
    ];
    t.match(
      done(verifyMessage).stdout,
      /director and owners name the same \d+ bytes of release\/one/,
    );
    const late = fleet([...verifyMessage, "--at", "2099-01-01T00:00:00Z"]);
    t.match(late, { code: 1, stdout: /REFUSED root: expired/, stderr: /trust\/expired/ });
    t.match(fleet(["verify", dir]), { code: 0, stdout: /^ok +releases\/one\.json$/m });

    // New keys for every role, one after another, and the node follows.
    const rotate = (role: string, from: string, to: string) =>
      done(["keys", "rotate", role, from, to, "--recipient", recipient]);
    rotate("root", "alice", "anna");
    t.match(waiting(), [
      {
        role: "root",
        missing: [
          { have: 0, need: 2 },
          { have: 0, need: 2 },
        ],
      },
    ]);
    t.match(sign("alice", ["--passphrase-fd", "0"]).stderr, /1 of 2 signatures of root 1;/);
    rotate("targets", "card", "emil");
    t.match(
      waiting(),
      [{ missing: [{ have: 0 }, { have: 0 }] }],
      "alice has signed something else",
    );
    sign("bob");
    sign("carol");
    for (const role of ["snapshot", "timestamp"]) {
      rotate(role, role, `${role}-2`);
      sign("bob");
      sign("carol");
    }
    t.match(waiting(), [{ role: "targets" }], "the new keys sign the same targets anew");
    rotate("director", "director", "director-2");
    sign("dora");
    sign("emil");
    t.match(fleet(["verify", dir]), { code: 2, stdout: /^WARNING edge-17: .*fleet renew nodes/m });
    done(["renew", "nodes"]);
    done(["export", "--node", "edge-17", "--out", stick]);
    t.match(await submit(message), {
      kind: "unchanged",
      updateId: "u-1-one",
      trusted: { root: 4 },
    });
    t.match(fleet(["verify", dir]), { code: 0, stdout: /^root 1 to 4: each signed/m });
    t.match(done(["keys", "list"]).stdout, /^card .* signer +signs nothing$/m);

    done(["release", "revoke", "one"]);
    sign("dora");
    sign("emil");
    t.match(fleet(["assign", "edge-17", "one"]), { code: 1, stderr: /trust\/revoked/ });
    done(["assign", "edge-17", "--none"]);
    done(["export", "--node", "edge-17", "--out", stick]);
    t.match(await submit(message), { kind: "nothing" });

    writeFileSync(path.join(dir, "releases/one.json"), "{}");
    t.match(fleet(["release", "list"]), {
      code: 1,
      stderr: /releases\/one\.json: .*signing\/damaged/,
    });
    t.match(fleet(["verify", dir]), { code: 1, stdout: /^DAMAGED releases\/one\.json: /m });
  },
);

t.test("a built system that owners vouch for goes to a stick with its manifest", async (t) => {
  const { place, dir, recipient, done, sign } = fleetIn(t);
  const system = fakeEntry("nixos-system-edge", Buffer.from("nar"));
  const manifest = fakeManifest([system], sha256("sources"));
  const text = JSON.stringify({ manifest, signatures: [] });
  parseSignedClosure(text);
  writeFileSync(path.join(place, "closure.json"), text);
  done(["init", dir, "--fleet", "plant-7", "--targets-keys", "dora", "--recipient", recipient]);
  const closure = ["--closure", path.join(place, "closure.json")];
  done(["release", "add", path.join(place, "spec.yaml"), "--name", "built", ...closure]);
  sign("dora");
  done(["assign", "edge-17", "built"]);
  const stick = path.join(place, "stick");
  done(["export", "--node", "edge-17", "--out", stick]);
  t.ok(existsSync(path.join(stick, `closure/${sha256("sources")}.json`)));
  const answer = await nodeOf(place, dir)(path.join(stick, "desired.json"));
  t.match(answer, { kind: "assigned" });
});

t.test("what is wrong is said before anything is made", (t) => {
  const { place, dir, recipient, fleet, done } = fleetIn(t);
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [["keys", "list"], 4, /signing\/no-repository/],
    [["init", dir, "--fleet", "a/b", "--recipient", recipient], 4, /is no name of a fleet/],
    [["init", dir, "--fleet", "a"], 1, /signing\/passphrase-missing/],
    [["init", dir, "--fleet", "a", "--root-threshold", "4"], 4, /signing\/quorum/],
    [["init", dir, "--fleet", "a", "--recipient", "age1x"], 4, /no recipient of age/],
  ];
  for (const [args, code, stderr] of cases) t.match(fleet(args), { code, stderr }, args.join(" "));
  done(["init", dir, "--fleet", "a", "--recipient", recipient]);
  const secret = path.join(place, "secret.yaml");
  writeFileSync(
    secret,
    "#firstlight\nversion: 1\nusers:\n  - { name: a, hashedPassword: $6$a$b }\n",
  );
  writeFileSync(path.join(place, "bad.yaml"), "#firstlight\nversion: 1\nhostnam: a\n");
  const later: typeof cases = [
    [["init", dir, "--fleet", "a", "--recipient", recipient], 1, /signing\/exists/],
    [["release", "add", path.join(place, "bad.yaml")], 4, /hostnam.*signing\/release-invalid/s],
    [["release", "add", path.join(place, "none.yaml")], 1, /cli\/no-file/],
    [["release", "revoke", "none"], 4, /signing\/release-unknown/],
    [["assign", "edge-17", "none"], 4, /signing\/release-unknown/],
    [["assign", "../edge", "none"], 4, /no name of a node/],
    [["export", "--node", "x", "--out", place], 4, /signing\/node-unknown/],
    [["sign", "--key", "x"], 4, /signing\/key-unknown/],
    [["keys", "revoke", "root", "targets-1"], 4, /signing\/key-unknown/],
    [["keys", "revoke", "targets", "targets-1"], 4, /signing\/quorum/],
    [["frobnicate"], 4, /expected init, keys/],
  ];
  for (const [args, code, stderr] of later) t.match(fleet(args), { code, stderr }, args.join(" "));
  t.end();
});

t.test(
  "at a terminal the passphrase is asked for and not shown, and a yes is needed",
  async (t) => {
    const { place, dir } = fleetIn(t);
    const made = await atTerminal(
      ["init", dir, "--fleet", "a", "--root-keys", "anna", "--targets-keys", "anna"],
      [
        [/passphrase of the new keys: $/, passphrase],
        [/once more: $/, passphrase],
      ],
    );
    t.notMatch(made, passphrase);
    t.match(made, /images name .*1\.root\.json/);
    const inDir = ["--dir", dir];
    const specFile = path.join(place, "spec.yaml");
    t.match(firstlight(["fleet", "release", "add", specFile, "--name", "one", ...inDir], ""), {
      code: 0,
    });
    const sign = ["sign", "--key", "anna", ...inDir];
    const yesOrNo = /sign targets 2\? \(yes\/no\) /;
    t.match(await atTerminal(sign, [[yesOrNo, "no"]]), /signing\/unconfirmed/);
    const signed = await atTerminal(sign, [
      [yesOrNo, "yes"],
      [/passphrase of anna: $/, passphrase],
    ]);
    t.notMatch(signed, passphrase);
    t.match(signed, /targets 2 is signed and counts/);
  },
);

/** What a person sees who types each answer when its question stands there. */
async function atTerminal(
  args: readonly string[],
  answers: readonly (readonly [question: RegExp, answer: string])[],
): Promise<string> {
  const command = [process.execPath, entry, "fleet", ...args].map((each) => `'${each}'`).join(" ");
  const child = spawn("script", ["-qec", command, "/dev/null"]);
  let [seen, sinceAnswer] = ["", ""];
  const open = [...answers];
  child.stdout.on("data", (text) => {
    seen += text;
    sinceAnswer += text;
    const [next] = open;
    if (next === undefined || !next[0].test(sinceAnswer)) return;
    open.shift();
    sinceAnswer = "";
    child.stdin.write(`${next[1]}\r`);
  });
  await once(child, "close");
  return seen;
}

/** The program of docs/signing.md, on node:crypto. */
function writeSigner(place: string): string {
  const file = path.join(place, "signer");
  const page = readFileSync(path.join(import.meta.dirname, "../docs/signing.md"), "utf8");
  const [, code] = /```js\n(.*?)```/s.exec(page) ?? [];
  if (code === undefined) throw new Error("docs/signing.md: no program");
  writeFileSync(file, `#!${process.execPath}\n${code}`);
  const key = path.join(place, "card.pem");
  execFileSync("openssl", [
    "genpkey",
    "-algorithm",
    "EC",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-out",
    key,
  ]);
  chmodSync(file, 0o755);
  process.env["CARD_KEY"] = key;
  return file;
}
