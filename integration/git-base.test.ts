import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { isFault } from "#core/fault.ts";
import { genericFacts } from "#provisioner/facts/generic-facts.ts";
import { gitFetcher } from "#provisioner/git-base/fetch-git.ts";
import { type GitSettings, sourcePath, sriHash } from "#provisioner/git-base/locked-source.ts";
import { obtainGitBase } from "#provisioner/git-base/obtain-git-base.ts";
import { decideBase, proposeBase, recordBase } from "#provisioner/render/decide-base.ts";
import { tryRender } from "#provisioner/render/try-render.ts";
import { makeSigner, skipWithoutSshKeygen } from "#provisioner/userdata/signed/try-sign.ts";
import { type GitRepository, gitRepository, serveGit } from "./git-repository.ts";
import { type NixMachine, nixMachine, nixModes } from "./nix-machine.ts";
import { complaintsAbout, writeRendered } from "./render-check.ts";

t.setTimeout(300_000);
const skip =
  nixModes()[0] === "namespace" || process.env["CI"] === "true"
    ? false
    : "SKIPPED: needs nix-build and root, for a store at /nix/store";

const module = `{ lib, ... }: {
  fileSystems."/".device = "/dev/vda1";
  boot.loader.grub.device = "/dev/vda";
  networking.hostName = "from-git";
  time.timeZone = "Europe/Zurich";
  system.stateVersion = "23.11";
}
`;

/** Files that Git changes on their way out, or leaves out, where it is asked to. */
const awkward = {
  ".gitattributes": "* text=auto eol=crlf\nsecret.txt export-ignore\nid.txt ident\n",
  "secret.txt": "one\ntwo\n",
  "id.txt": "$Id$\n",
  "a/x": "1\n",
  "a.b": "2\n",
  "a-b": "3\n",
};

/** Runs a program of the machine; what it printed. */
async function printed(machine: NixMachine, ...argv: readonly [string, ...string[]]) {
  const { code, stdout, stderr } = await machine.run(argv);
  if (code !== 0) throw new Error(stderr);
  return stdout.trim();
}

/** The hash of a commit's tree, as Nix's own fetcher finds it. */
async function prefetch(machine: NixMachine, { directory }: GitRepository, rev: string) {
  const fetched = `(builtins.fetchGit { url = "file://${directory}"; rev = "${rev}"; allRefs = true; }).outPath`;
  const eval_ = ["nix-instantiate", "--eval", "--read-write-mode", "--expr", fetched] as const;
  const storePath = (await printed(machine, ...eval_)).replaceAll('"', "");
  return { storePath, narHash: await printed(machine, "nix-store", "-q", "--hash", storePath) };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "none";
  } catch (error) {
    if (!isFault(error)) throw error;
    return `${error.code}: ${error.message}${error.hint === undefined ? "" : ` | ${error.hint}`}`;
  }
}

t.test(
  "a base from Git is built from, and stays there without its repository",
  { skip },
  async (t) => {
    const machine = await nixMachine(t);
    const home = t.testdir();
    const repository = gitRepository(path.join(home, "machines"));
    const rev = repository.commit({ "hosts/edge/configuration.nix": module });
    repository.commit({ "hosts/edge/configuration.nix": "a later one, which nobody wants\n" });
    const server = await serveGit(t, home);
    const { storePath, narHash } = await prefetch(machine, repository, rev);
    t.equal(sourcePath(narHash), storePath, "our path is the one of Nix's own fetcher");
    await printed(machine, "nix-store", "--delete", storePath);

    const io = machine.io();
    const settings: GitSettings = {
      git: `${server.origin}/machines/.git`,
      rev,
      narHash,
      path: "hosts/edge",
    };
    const git = await obtainGitBase(settings, { io, fetch: gitFetcher(io) });
    t.same(git, {
      url: settings.git,
      rev,
      narHash: sriHash(narHash),
      storePath,
      entry: { file: "hosts/edge/configuration.nix" },
    });
    t.ok(server.requests.includes("POST /machines/.git/git-upload-pack"), "over http");

    const question = {
      io,
      facts: genericFacts("x86_64"),
      profile: null,
      mutableUsers: undefined,
      settings: { stateVersion: "25.11", base: settings },
      agentModule: [],
    };
    const base = decideBase({ ...question, git });
    t.match(base, {
      kind: "adopted",
      files: [],
      mutableUsers: null,
      pins: { base: { storePath } },
    });
    const { sources, findings } = tryRender({ hostname: "edge-17" }, { base });
    t.same(findings, []);
    t.same(complaintsAbout(sources), []);
    const entry = writeRendered(path.join(home, "sources"), sources);
    t.match(readFileSync(entry, "utf8"), `"${storePath}/hosts/edge/configuration.nix"`);
    t.match(readFileSync(entry, "utf8"), `# It stands on commit ${rev} of ${settings.git}`);
    const system = await machine.build(`import ${entry}`);
    const closure = await printed(machine, "nix-store", "-qR", system);
    t.ok(closure.split("\n").includes(storePath), "whoever keeps the system keeps its base");
    const body =
      '{ inherit (c.networking) hostName; inherit (c.time) timeZone; inherit (c.system) stateVersion; inherit (c.services.firstlight.settings.base) rev; git = builtins.any (p: (p.pname or p.name or "") == "git") c.systemd.services.firstlight-boot.path; }';
    const expression = `let c = (import <nixpkgs/nixos> { configuration = ${entry}; system = "x86_64-linux"; }).config; in ${body}`;
    const told = await printed(
      machine,
      "nix-instantiate",
      "--eval",
      "--strict",
      "--json",
      "--read-write-mode",
      "--expr",
      expression,
    );
    t.same(JSON.parse(told), {
      hostName: "edge-17",
      timeZone: "Europe/Zurich",
      stateVersion: "23.11",
      rev,
      git: true,
    });

    await server.close();
    const before = server.requests.length;
    const fetch = () => Promise.reject(new Error("asked for"));
    t.same(await obtainGitBase(settings, { io, fetch }), git, "nobody is asked again");
    t.equal(server.requests.length, before);

    proposeBase(io, base, "d");
    recordBase(io, "d");
    t.same(decideBase(question), base, "recorded, also where the settings no longer name it");
    const other = { ...git, rev: "0".repeat(40) };
    t.match(
      decideBase({ ...question, git: other }).pins.base,
      { revision: other.rev },
      "a revision is a pin",
    );
  },
);

t.test("what cannot be had is said, with both sides of it", { skip }, async (t) => {
  const machine = await nixMachine(t);
  const home = t.testdir();
  const repository = gitRepository(path.join(home, "r"));
  const rev = repository.commit({
    ...awkward,
    "configuration.nix": module,
    "hosts/edge.nix": "{ }\n",
  });
  const io = machine.io();
  const url = `file://${repository.directory}`;
  const zero = `sha256-${"A".repeat(43)}=`;
  const asked = (change: Partial<GitSettings>, fetch = gitFetcher(io)) =>
    codeOf(obtainGitBase({ git: url, rev, narHash: zero, ...change }, { io, fetch }));
  const wrong = await asked({});
  const got = /the narHash (sha256-\S{43}=), and \S+ says (\S+) \|/.exec(wrong) ?? [];
  t.match(wrong, /^base\/git-hash: /);
  t.equal(got[2], zero);
  const narHash = got[1] ?? "";
  t.equal(await asked({ narHash }), "none", "the first of them is right");
  const kept = machine.io().files;
  t.equal(kept.readText(`${sourcePath(narHash)}/secret.txt`), "one\ntwo\n", "as it was committed");
  t.equal(kept.readText(`${sourcePath(narHash)}/id.txt`), "$Id$\n");

  t.match(
    await asked({ rev: "1".repeat(40), narHash: zero }),
    /^base\/git-revision: \S+: has no commit 1111/,
  );
  const half = sourcePath(narHash);
  await printed(machine, "nix-store", "--delete", half);
  mkdirSync(path.join(machine.root, half), { recursive: true });
  t.equal(await asked({ narHash }), "none", "what a crash left of a tree is none");
  t.equal(kept.readText(`${half}/secret.txt`), "one\ntwo\n");
  t.match(
    await asked({ git: `file://${home}/nowhere`, narHash: zero }),
    /^base\/git-unreachable: file:\/\/\S+\/nowhere: /,
  );
  t.match(
    await asked({ git: "http://127.0.0.1:1/r.git", narHash: zero }),
    /^base\/git-unreachable: http:\/\/127\.0\.0\.1:1\/r\.git: .*(connect|refused)/i,
  );
  t.match(
    await asked({ narHash, path: "hosts/edeg.nix" }),
    /^base\/git-path: .*at hosts\/edeg\.nix \| did you mean `hosts\/edge\.nix`/,
  );
  t.match(
    await asked({ narHash, path: "a" }),
    /^base\/git-path: .* at a \| name a file, or a directory/,
  );
  t.match(
    await asked({ narHash: `sha256-${"A".repeat(42)}B=` }),
    /^base\/git-hash: \S+: base\.narHash is no SHA-256: sha256-A+B=/,
  );
  const both = await asked({ narHash, path: "a", flake: "nixosModules.edge" });
  t.match(both, /^base\/git-path: .*not both/);
  t.match(
    await asked({ narHash, flake: "nixosModules.edge" }),
    /^base\/git-flake: .* no flake\.nix/,
  );
  const lying: GitSettings = { git: url, rev: "2".repeat(40), narHash: zero };
  const fetched = await gitFetcher(io)({ git: url, rev });
  t.match(
    await codeOf(obtainGitBase(lying, { io, fetch: async () => fetched })),
    /^base\/git-fetch: .* is not the commit 2222/,
  );
  t.match(
    await codeOf(obtainGitBase(lying, { io, fetch: undefined })),
    /^base\/git-fetch: .*nothing is fetched here/,
  );
});

t.test("only who is trusted signs a base", { skip: skip || skipWithoutSshKeygen }, async (t) => {
  const machine = await nixMachine(t);
  const home = t.testdir();
  const at = { testdir: () => home };
  const repository = gitRepository(path.join(home, "r"));
  const [ops, stranger] = [makeSigner(at, "ed25519"), makeSigner(at, "ed25519")];
  const by = (file: string) => ["gpg.format=ssh", "commit.gpgSign=true", `user.signingKey=${file}`];
  const signed = repository.commit({ ...awkward, "configuration.nix": module }, by(ops.keyFile));
  const foreign = repository.commit({ "configuration.nix": `${module}\n` }, by(stranger.keyFile));
  const unsigned = repository.commit({ "configuration.nix": `${module}\n\n` });
  const io = machine.io();
  const git = `file://${repository.directory}`;
  const hashes = new Map<string, string>();
  for (const rev of [signed, foreign, unsigned]) {
    const { storePath } = await gitFetcher(io)({ git, rev });
    hashes.set(rev, await printed(machine, "nix-store", "-q", "--hash", storePath));
  }
  const asked = (rev: string, signers: readonly string[], fetch = gitFetcher(io)) =>
    codeOf(obtainGitBase({ git, rev, narHash: hashes.get(rev) ?? "", signers }, { io, fetch }));
  t.equal(await asked(signed, [stranger.line, ops.line]), "none", "ours, by Git's own hand");
  const never = () => Promise.reject(new Error("asked for"));
  t.equal(await asked(signed, [ops.line], never), "none", "nor is it fetched again to be believed");
  t.match(
    await asked(signed, [stranger.line], never),
    /^base\/git-signature: .* is none of the keys/,
  );
  t.match(await asked(foreign, [ops.line]), /^base\/git-signature: .* is none of the keys/);
  t.match(await asked(unsigned, [ops.line]), /^base\/git-signature: .*the commit is not signed/);
  hashes.set(signed, hashes.get(unsigned) ?? "");
  const { commit } = await gitFetcher(io)({ git, rev: signed });
  const { storePath } = await gitFetcher(io)({ git, rev: unsigned });
  t.match(
    await asked(signed, [ops.line], async () => ({ commit, storePath })),
    /^base\/git-signature: .*not the one that the signed commit names/,
    "a signature is no word for another tree",
  );
});

t.test("a module of a flake, where Nix reads flakes", { skip }, async (t) => {
  const machine = await nixMachine(t, {
    nixConfig: ["experimental-features = nix-command flakes"],
  });
  const home = t.testdir();
  const repository = gitRepository(path.join(home, "r"));
  const flake = "{ outputs = _: { nixosModules.edge = ./edge.nix; }; }\n";
  const rev = repository.commit({ "flake.nix": flake, "edge.nix": module });
  const git = `file://${repository.directory}`;
  const { narHash } = await prefetch(machine, repository, rev);
  const io = machine.io();
  const render = async (name: string) => {
    const settings = { git, rev, narHash, flake: `nixosModules.${name}` };
    const found = await obtainGitBase(settings, { io, fetch: gitFetcher(io) });
    const base = { kind: "adopted", git: found, platform: null } as const;
    return writeRendered(path.join(home, name), tryRender({}, { base }).sources);
  };
  const entry = await render("edge");
  t.match(await machine.build(`import ${entry}`), /^\/nix\/store\//);
  await t.rejects(
    machine.build(`import ${await render("egde")}`),
    /its flake has no nixosModules\.egde/,
  );
  const plain = { ...io, env: { ...io.env, NIX_CONFIG: "" } };
  t.match(
    await codeOf(
      obtainGitBase(
        { git, rev, narHash, flake: "nixosModules.edge" },
        { io: plain, fetch: undefined },
      ),
    ),
    /^base\/git-flake: .*reads no flakes on this machine.* \| name the module's file/,
  );
});
