import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { formatFinding } from "#core/finding.ts";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { checkHome } from "./check-home.ts";

const origins = new Map([
  ["home.alice", { document: "user-data", line: 4, column: 3, path: undefined }],
]) as unknown as Parameters<typeof checkHome>[0]["origins"];

/** Findings on a machine that has these files, links where a text begins with `->`. */
function found(
  t: { testdir(): string },
  there: Readonly<Record<string, string>>,
  spec: Omit<Spec, "version">,
): readonly string[] {
  const root = path.join(t.testdir(), String(Math.random()).slice(2));
  for (const [name, text] of Object.entries(there)) {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    if (text.startsWith("->")) symlinkSync(text.slice(2), path.join(root, name));
    else writeFileSync(path.join(root, name), text);
  }
  mkdirSync(root, { recursive: true });
  const { files } = fakeIo(root);
  return checkHome({ files, origins, spec: { version: 1, ...spec } }).map(formatFinding);
}

const files = { ".tmux.conf": { content: "a\n" } };
const ours = "->/nix/store/00000000000000000000000000000000-home-manager-files/.tmux.conf";

t.test("a dotfile that is there is told of, at the line of its home", async (t) => {
  t.match(found(t, { "home/alice/.tmux.conf": "b\n" }, { home: { alice: { files } } }), [
    /^user-data:4:3 warning home\.alice\.files\.\.tmux\.conf: \/home\/alice\/\.tmux\.conf is there already, /,
  ]);
});

t.test("what home-manager takes, or has put there itself, is no conflict", async (t) => {
  const home = { alice: { files } };
  const mine = { "home/alice/.tmux.conf": "b\n" };
  const forced = { ".tmux.conf": { content: "a\n", force: true } };
  t.same(found(t, {}, { home }), [], "nothing there");
  t.same(found(t, { "home/alice/.tmux.conf": "a\n" }, { home }), [], "the same text");
  t.same(found(t, { "home/alice/.tmux.conf": ours }, { home }), [], "its own link");
  t.same(found(t, mine, { home: { alice: { files: forced } } }), [], "by force");
  const options = { "home-manager.backupFileExtension": "old" };
  t.same(found(t, mine, { home, options }), [], "the owner has said what becomes of it");
  t.equal(found(t, { "home/alice/.tmux.conf": "->/etc/tmux" }, { home }).length, 1, "another link");
});

t.test("links on the way end the look: loops, and what lies elsewhere", async (t) => {
  const home = { alice: { files: { ".config/a/b": { content: "a\n" } } } };
  t.same(found(t, { "home/alice/.config": "->.config" }, { home }), [], "a loop");
  t.same(found(t, { "home/alice/.config/a": "->a" }, { home }), [], "a loop further down");
  const elsewhere = { "home/alice/.config": "->/root/x", "root/x/a/b": "of root\n" };
  t.same(found(t, elsewhere, { home }), [], "a file of root");
  t.equal(found(t, { "home/alice/.config/a/b": "->b" }, { home }).length, 1, "a link itself");
  const users = { alice: { home: "/home/alice" } };
  t.same(found(t, { "home/alice": "->alice" }, { home, users }), [], "a home that is a loop");
});

t.test("files are found wherever a home names them", async (t) => {
  const cases: readonly (readonly [string, object])[] = [
    ["home/alice/.gitconfig", { home: { file: { ".gitconfig": { text: "x" } } } }],
    ["home/alice/.gitconfig", { "home.file": { any: { text: "x", target: ".gitconfig" } } }],
    ["home/alice/.gitconfig", { 'home.file.".gitconfig".source': "/x" }],
    ["home/alice/.config/a/b", { xdg: { configFile: { "a/b": { text: "x" } } } }],
    ["home/alice/.bashrc", { programs: { bash: { enable: true } } }],
    ["home/alice/.bashrc", { "programs.bash.enable": true }],
  ];
  for (const [name, home] of cases) {
    const said = found(t, { [name]: "mine\n" }, { home: { alice: home } } as never);
    t.equal(said.length, 1, `${name}: ${JSON.stringify(home)}`);
    t.match(said[0], `/${name} is there already`);
  }
  const off = { programs: { bash: { enable: false } }, home: { file: { x: { enable: false } } } };
  t.same(found(t, { "home/alice/.bashrc": "", "home/alice/x": "" }, { home: { alice: off } }), []);
});

t.test("a program that writes its file only with settings has none without", async (t) => {
  const there = { "home/alice/.config/bat/config": "mine\n" };
  const count = (home: object) => found(t, there, { home: { alice: home } } as never).length;
  t.equal(count({ programs: { bat: { enable: true } } }), 0);
  t.equal(count({ programs: { bat: { enable: true, config: {} } } }), 0);
  t.equal(count({ programs: { bat: { enable: true, config: { theme: "x" } } } }), 1);
  t.equal(count({ "programs.bat.enable": true, "programs.bat.config.theme": "x" }), 1);
  t.equal(count({ programs: { bat: { config: { theme: "x" } } } }), 0, "not enabled");
});

t.test(
  "a directory that home-manager puts in place as a whole is a conflict as well",
  async (t) => {
    const home = { alice: { programs: { htop: { enable: true, settings: { delay: 5 } } } } };
    t.match(found(t, { "home/alice/.config/htop/htoprc": "x" }, { home } as never), [
      /\/home\/alice\/\.config\/htop is there already/,
    ]);
  },
);

t.test("a home is where the spec, or the machine, has it", async (t) => {
  const home = { alice: { files } };
  const users = { alice: { home: "/srv/alice" } };
  t.match(found(t, { "srv/alice/.tmux.conf": "b" }, { home, users }), [/\/srv\/alice\//]);
  const passwd = "alice:x:1000:100::/data/alice:/bin/sh\n";
  t.match(found(t, { "etc/passwd": passwd, "data/alice/.tmux.conf": "b" }, { home }), [
    /\/data\/alice\//,
  ]);
});
