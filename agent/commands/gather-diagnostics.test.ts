import { readFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { Fault } from "#core/fault.ts";
import { gatherDiagnostics, ownUnits } from "./gather-diagnostics.ts";

const unreachable = async (): Promise<never> => {
  throw new Fault("system/locked", "for the test");
};

t.test("the log is that of firstlight's own units, and no word of a user's script", async (t) => {
  const canary = "canary-51b0e3d2";
  const journal = {
    "firstlight-boot.service": "boot: committed",
    "firstlight-update.path": "start limit hit",
    "firstlight-command-runcmd.service": canary,
    "firstlight-command-bootcmd.service": canary,
    "firstlight-commands.service": canary,
    "firstlight-agent.service.d": canary,
  };
  // As journalctl has it: a unit counts by its name, or by a shell pattern.
  const journalctl = ({ args }: { readonly args: readonly string[] }) => ({
    stdout: Object.entries(journal)
      .filter(([unit]) =>
        args.some((arg) => arg.startsWith("--unit=") && path.matchesGlob(unit, arg.slice(7))),
      )
      .map(([unit, words]) => `${unit}: ${words}\n`)
      .join(""),
  });
  const io = fakeIo(t.testdir(), { journalctl });
  const bundle = await gatherDiagnostics({
    ...{ io, version: "0.5.0", trust: { node: undefined } },
    system: { status: unreachable, history: unreachable },
  });
  t.match(bundle, { programs: { log: /boot: committed[\s\S]*start limit hit/ } });
  t.notMatch(JSON.stringify(bundle), canary);
});

t.test("own units are exactly those of the module", async (t) => {
  const module = readFileSync(new URL("../../nixos/module.nix", import.meta.url), "utf8");
  const inModule = [
    ...module.matchAll(/^ {4}systemd\.(service|timer|socket|path)s\.(firstlight-[a-z-]+) =/gm),
  ].map(([, kind, name]) => `${name}.${kind}`);
  t.ok(inModule.length > 20);
  t.same([...ownUnits].sort(), inModule.sort());
});
