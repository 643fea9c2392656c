import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { closureObtainer } from "#agent/obtain-closure.ts";
import { manifestPlace } from "#agent/update/mirrors.ts";
import { releaseObtainer } from "#agent/update/obtain-release.ts";
import { canonicalJson, sha256 } from "#core/canonical-json.ts";
import { silentLog } from "#core/log.ts";
import { hostCourier } from "#provisioner/system/fetch/host-courier.ts";
import { directory, healthy, isValid, pushSystem, reason, sources, start } from "./fetch-world.ts";
import { nixMachine, skipWithoutNix } from "./nix-machine.ts";

t.setTimeout(600_000);

t.test(
  "a system comes from a stick alone: its manifest by what was signed, its archives by that",
  { skip: skipWithoutNix() },
  async (t) => {
    const made = await pushSystem(await nixMachine(t), directory(t));
    const machine = await nixMachine(t);
    const { files } = machine.io();
    const stick = path.join(machine.root, "mnt/stick");
    mkdirSync(path.join(stick, "closure"), { recursive: true });
    cpSync(made.directory, stick, { recursive: true });
    writeFileSync(path.join(stick, manifestPlace(sources.digest)), made.signed);
    const canonical = canonicalJson(made.manifest);
    const signed = {
      ...{ by: "builder-x86", inputDigest: sources.digest, toplevel: made.manifest.toplevel },
      ...{ length: Buffer.byteLength(canonical), sha256: sha256(canonical) },
    };
    const system = start(machine, { caches: [] });
    const options = {
      ...{ io: machine.io(), log: silentLog, system, courier: hostCourier(files) },
      ...{ settings: { fetch: { mode: "only" } } as const, signed: undefined },
      signal: new AbortController().signal,
    };
    await t.rejects(closureObtainer(options)(sources, reason), {
      code: "system/closure-not-found",
    });
    const mirrors = ["file:///mnt/none/", "file:///mnt/stick/"];
    const other = { ...signed, sha256: "0".repeat(64) };
    await t.rejects(
      releaseObtainer(options, { closures: [other], own: undefined, mirrors })(sources, reason),
      { code: "update/closure-mismatch" },
      "another one than was signed is none",
    );
    const obtain = releaseObtainer(options, { closures: [signed], own: undefined, mirrors });
    const closure = await obtain(sources, reason);
    t.equal(closure.toplevel, made.manifest.toplevel);
    t.ok(await isValid(machine, closure.toplevel));
    const trial = await system.try(await system.plan(closure));
    t.match(await system.commit(trial, healthy), { generation: 1 });
  },
);
