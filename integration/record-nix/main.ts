import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { recordingsDirectory } from "#provisioner/system/recorded-nix.ts";
import { playAll } from "./play.ts";
import { openRecorder } from "./recorder.ts";
import { nixRoot, suites } from "./roots.ts";

if (process.getuid?.() !== 0) throw new Error("recording Nix needs root");

/** Those of Debian's releases that are named; else of all. */
const wanted = process.argv.slice(2);
for (const suite of suites) {
  if (wanted.length > 0 && !wanted.includes(suite)) continue;
  const nix = await openRecorder(await nixRoot(suite));
  try {
    await playAll(nix);
    const directory = path.join(recordingsDirectory, `nix-${nix.version}`);
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true });
    for (const [name, recording] of [...nix.recordings, ["prepared", nix.prepared] as const]) {
      const text = `${JSON.stringify(recording, null, 2)}\n`;
      writeFileSync(path.join(directory, `${name}.json`), text);
    }
    console.log(`${suite}: ${nix.recordings.size} recordings of Nix ${nix.version}`);
  } finally {
    nix.close();
  }
}
