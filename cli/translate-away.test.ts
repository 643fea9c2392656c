import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { Fault } from "#core/fault.ts";
import { formatFinding } from "#core/finding.ts";
import type { ExecResult } from "#core/io.ts";
import { translateHere } from "./translate-away.ts";

const syntaxError: ExecResult = {
  ...{ code: 1, signal: null, stdout: "", timedOut: false, aborted: false, ms: 1 },
  stderr: "error: syntax error, unexpected ';'\n\n       at «stdin»:2:9:\n",
};

async function said(text: string, exec: () => Promise<ExecResult>) {
  const io = { ...fakeIo(t.testdir()), exec };
  const userData = { document: "user-data", bytes: Buffer.from(text) };
  const { findings } = await translateHere(io, { userData }, { signers: [] });
  return findings.map((finding) => formatFinding(finding).split("\n")[0]);
}

t.test("away from the node an include is named, and nothing of it is read", async (t) => {
  const run = async () => t.fail("no process is started") as never;
  t.match(await said("#include\nhttps://a.example/x?token=1\n", run), [
    /^user-data:2:1 warning: https:\/\/a\.example\/x\?… is read on the node only/,
  ]);
});

t.test("a module is parsed where Nix is, and taken as it is where it is not", async (t) => {
  const module = "#nix\n{ a = ; }\n";
  const note = /^user-data:1:1 note modules\.0: an image takes modules of NixOS/;
  t.match(await said(module, async () => syntaxError), [
    note,
    /^user-data:2:9 error modules\.0: Nix cannot read this module: syntax error, unexpected/,
  ]);
  const noNix = async () => {
    throw new Fault("exec/not-found", "nix-instantiate: no such program");
  };
  const lines = await said(module, noNix);
  t.equal(lines.length, 1);
  t.match(lines, [note]);
});
