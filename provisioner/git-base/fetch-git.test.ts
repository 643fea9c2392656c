import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { type FakeProgram, fakeIo } from "#core/fake-io.ts";
import { gitFetcher } from "./fetch-git.ts";

const from = { git: "https://git.example.org/machines.git", rev: "1".repeat(40) };
const storePath = "/nix/store/00000000000000000000000000000000-source";
const answer = { stdout: `${storePath}\ndHJl\nZQ==\n` };

function machine(
  t: { testdir(): string },
  programs: Readonly<Record<string, FakeProgram>>,
  { hasDaemon }: { readonly hasDaemon: boolean },
) {
  const root = t.testdir();
  if (hasDaemon) {
    mkdirSync(path.join(root, "run/systemd/system"), { recursive: true });
    mkdirSync(path.join(root, "nix/var/nix/daemon-socket"), { recursive: true });
    writeFileSync(path.join(root, "nix/var/nix/daemon-socket/socket"), "");
  }
  return fakeIo(root, programs);
}

t.test("with systemd and a Nix daemon, who fetches has no privileges", async (t) => {
  const io = machine(t, { "systemd-run": () => answer }, { hasDaemon: true });
  const { commit, ...fetched } = await gitFetcher(io)(from);
  t.same(fetched, { storePath });
  t.equal(Buffer.from(commit).toString(), "tree");
  const [line] = io.executed;
  for (const arg of [
    "--property=DynamicUser=yes",
    "--property=CapabilityBoundingSet=",
    "--property=ProtectSystem=strict",
    "--property=RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
    "--property=MemoryMax=50%",
    "--setenv=NIX_REMOTE=daemon",
    from.git,
    from.rev,
  ])
    t.ok(line?.args.includes(arg), arg);
  t.notOk(line?.args.some((arg) => arg.includes("PrivateNetwork")));
  const script = line?.args.find((arg) => arg.includes("git init")) ?? "";
  t.notMatch(script.replaceAll("$$", ""), "$", "systemd puts nothing in place of its variables");
  t.same(io.effects, ["fetch the base from Git"]);
});

t.test("without one of them the machine's own shell does it", async (t) => {
  const io = machine(t, { sh: () => answer }, { hasDaemon: false });
  t.match(await gitFetcher(io)(from), { storePath });
});

t.test("how a fetch fails", async (t) => {
  const cases = [
    [{ code: 10, stderr: "x\nfatal: no \u001b[2Jroute\n" }, "base/git-unreachable", /: no route$/],
    [{ code: null, timedOut: true }, "base/git-unreachable", /nothing came within 10 minutes$/],
    [{ code: 11, stderr: "" }, "base/git-revision", /has no commit 1{40}$/],
    [{ code: 127, stderr: "sh: git: not found\n" }, "base/git-fetch", /git: not found$/],
    [{ code: 3, stderr: "" }, "base/git-fetch", /ended with 3$/],
  ] as const;
  for (const [end, code, message] of cases) {
    const io = machine(t, { sh: () => end }, { hasDaemon: false });
    await t.rejects(gitFetcher(io)(from), { code, message });
  }
});
