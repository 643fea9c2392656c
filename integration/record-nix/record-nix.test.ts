import t from "tap";
import { oldNix, type RecordedNix, recordedNixes } from "#provisioner/system/recorded-nix.ts";
import { playAll } from "./play.ts";
import type { Recorder } from "./recorder.ts";

/** Plays recordings back: each line must be the one that was recorded. */
function player(nix: RecordedNix, onLine: (name: string) => void): Recorder {
  const prepared = [...nix.prepared()];
  return {
    version: nix.version,
    async record(name, line) {
      onLine(name);
      return nix.replay(name)(line);
    },
    prepare: async () => prepared.shift() ?? "",
    write() {},
    damage() {},
  };
}

for (const nix of [oldNix, ...recordedNixes]) {
  t.test(`Nix ${nix.version} was recorded with the lines that firstlight runs`, async (t) => {
    const names: string[] = [];
    await playAll(player(nix, (name) => names.push(name)));
    t.strictSame([...names].sort(), nix.names());
  });
}
