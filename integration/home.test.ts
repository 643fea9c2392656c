// biome-ignore-all lint/suspicious/noTemplateCurlyInString: what stands in files of a home stays as it is
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import {
  filesOfHome,
  filesOfPrograms,
  settingsOfPrograms,
} from "#provisioner/render/home-files.ts";
import { tryRender } from "#provisioner/render/try-render.ts";
import { nixMachine, skipWithoutNix } from "./nix-machine.ts";
import { nixpkgsTree, standInSystemOf, systemOf } from "./nixpkgs-trees.ts";
import { complaintsAbout, writeRendered } from "./render-check.ts";

t.setTimeout(1_200_000);
const skip = skipWithoutNix();
const standIn = path.join(import.meta.dirname, "home-manager");
const homeManager = process.env["HOME_MANAGER"];
if (homeManager === undefined)
  t.comment(
    "SKIPPED: what is rendered, on a release of home-manager (name its tree in HOME_MANAGER)",
  );
else if (nixpkgsTree === undefined)
  t.comment("SKIPPED: evaluating it there (name a tree of nixpkgs in NIXPKGS)");

const spec: Omit<Spec, "version"> = {
  users: { alice: { uid: 1001 } },
  home: {
    alice: {
      packages: ["ripgrep"],
      files: {
        ".config/app/app.conf": { content: "a = ${b}\n" },
        "bin/hello": { content: "#!/bin/sh\necho hello\n", executable: true, force: true },
      },
      programs: { git: { enable: true, settings: { user: { name: "Alice Example" } } } },
      "programs.tmux.enable": true,
    },
  },
};

const wanted = `let h = c.home-manager.users.alice; in {
  inherit (c.home-manager) useGlobalPkgs useUserPackages;
  inherit (h.home) stateVersion;
  packages = builtins.filter (name: name == "ripgrep") (map (p: p.pname or (builtins.parseDrvName p.name).name) h.home.packages);
  conf = h.home.file.".config/app/app.conf".text;
  hello = { inherit (h.home.file."bin/hello") text executable force; };
  git = h.programs.git.enable;
  tmux = h.programs.tmux.enable;
  user = c.systemd.services.home-manager-alice.serviceConfig.User;
}`;

interface Question {
  readonly spec: Omit<Spec, "version">;
  /** A set of Nix of the system's `c`. */
  readonly wanted: string;
}

/** What a rendered home is to a system with this home-manager. */
async function evaluateHome(
  t: { teardown(close: () => void): unknown; testdir(): string },
  tree: string,
  system: (entry: string) => string,
  { spec, wanted }: Question,
): Promise<unknown> {
  const machine = await nixMachine(t);
  const added = await machine.run(["nix-store", "--add", tree]);
  if (added.code !== 0) throw new Error(added.stderr);
  const pin = { storePath: added.stdout.trim(), narHash: null, revision: null };
  const { sources, findings } = tryRender(spec, { base: { pins: { "home-manager": pin } } });
  const errors = findings.filter(({ level }) => level === "error");
  if (errors.length > 0) throw new Error(JSON.stringify(errors));
  if (complaintsAbout(sources).length > 0) throw new Error(complaintsAbout(sources).join("\n"));
  const entry = writeRendered(t.testdir(), sources);
  const expression = `let c = (${system(entry)}).config; in ${wanted}`;
  const { code, stdout, stderr } = await machine.run(
    ["nix-instantiate", "--eval", "--strict", "--json", "--read-write-mode", "--expr", expression],
    { timeoutMs: 600_000 },
  );
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

const expected = {
  useGlobalPkgs: true,
  useUserPackages: true,
  stateVersion: "25.11",
  packages: ["ripgrep"],
  conf: "a = ${b}\n",
  hello: { text: "#!/bin/sh\necho hello\n", executable: true, force: true },
  git: true,
  tmux: true,
  user: "alice",
};

t.test("a home is part of the system", { skip }, async (t) => {
  t.match(await evaluateHome(t, standIn, standInSystemOf, { spec, wanted }), expected);
});

/** A system that boots, whose homes have no manual: that is made by a tool of nixpkgs of the same release. */
function wholeSystemOf(entry: string): string {
  return systemOf(`{
    imports = [ ${entry} ];
    fileSystems."/".device = "/dev/disk/by-uuid/0001";
    boot.loader.grub.device = "/dev/sda";
    home-manager.sharedModules = [ { manual.manpages.enable = false; home.enableNixpkgsReleaseCheck = false; } ];
  }`);
}

if (homeManager !== undefined && nixpkgsTree !== undefined) {
  t.test("a home is part of the system with home-manager itself", { skip }, async (t) => {
    const all = `${wanted} // {
      gitName = c.home-manager.users.alice.programs.git.iniContent.user.name;
      home = c.home-manager.users.alice.home.activationPackage.drvPath;
      system = c.system.build.toplevel.drvPath;
    }`;
    t.match(await evaluateHome(t, homeManager, wholeSystemOf, { spec, wanted: all }), {
      ...expected,
      gitName: "Alice Example",
      home: /-home-manager-generation\.drv$/,
      system: /-nixos-system-.*\.drv$/,
    });
  });

  t.test(
    "programs write the files that are said of them, with settings or without",
    {
      skip,
    },
    async (t) => {
      const files = `{
      targets = map (file: file.target) (builtins.filter (file: file.enable) (builtins.attrValues c.home-manager.users.alice.home.file));
    }`;
      const names = Object.keys(filesOfPrograms);
      const set = (needed: string | undefined) =>
        needed === undefined ? {} : { [needed]: { theme: "x" } };
      for (const [what, settings] of [
        ["without", () => ({})],
        ["with", (name: string) => set(settingsOfPrograms[name])],
      ] as const) {
        const programs = Object.fromEntries(
          names.map((name) => [name, { enable: true, ...settings(name) }]),
        );
        const home = { alice: { programs } };
        const question = { spec: { users: { alice: {} }, home }, wanted: files };
        const found = await evaluateHome(t, homeManager, wholeSystemOf, question);
        const { targets } = found as { readonly targets: readonly string[] };
        const said = filesOfHome(home.alice).map(({ path }) => path);
        const known = Object.values(filesOfPrograms).flat();
        t.same(targets.filter((target) => known.includes(target)).sort(), [...said].sort(), what);
      }
    },
  );

  t.test("home-manager itself refuses what it has not", { skip }, async (t) => {
    for (const [home, message] of [
      [{ programs: { git: { enabel: true } } }, /programs\.git\.enabel' does not exist/],
      [{ "programs.tmux.enable": "yes" }, /programs\.tmux\.enable' is not of type `boolean'/],
    ] as const) {
      const question = { spec: { ...spec, home: { alice: home } }, wanted };
      await t.rejects(evaluateHome(t, homeManager, wholeSystemOf, question), { message });
    }
  });
}

if (homeManager !== undefined)
  t.test("home-manager has what is rendered, and what is said of its programs", async (t) => {
    const read = (file: string) => readFileSync(path.join(homeManager, file), "utf8");
    for (const option of ["useGlobalPkgs", "useUserPackages", "backupFileExtension", "users"])
      t.match(read("nixos/common.nix"), new RegExp(`^    ${option} = mk`, "m"), option);
    for (const option of ["text", "executable", "force", "target"])
      t.match(
        read("modules/lib/file-type.nix"),
        new RegExp(`^ +${option} = mkOption`, "m"),
        option,
      );
    t.match(read("modules/home-environment.nix"), /home\.packages = (lib\.)?mkOption/);
    t.match(read("modules/files.nix"), "-home-manager-files", "whose links are its own");
    for (const [program, files] of Object.entries(filesOfPrograms)) {
      const module = [
        `modules/programs/${program}.nix`,
        `modules/programs/${program}/default.nix`,
      ].find((file) => existsSync(path.join(homeManager, file)));
      const names = files.map((file) => path.basename(file));
      const text = module === undefined ? "" : read(module);
      t.ok(
        names.every((name) => text.includes(name)),
        `${program}: ${names.join(", ")} in ${module}`,
      );
    }
  });
