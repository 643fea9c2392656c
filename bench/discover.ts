import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { discover } from "#agent/datasources/discover.ts";
import { writeTree } from "#agent/datasources/images/make-images.ts";
import { silentLog } from "#core/log.ts";
import { ec2Nitro } from "#integration/machines/ec2-nitro.ts";
import { qemuQ35 } from "#integration/machines/qemu-q35.ts";
import { writeMachine } from "#integration/machines/write-machine.ts";
import { writeSeed } from "#integration/machines/write-seed.ts";
import type { Case } from "./case.ts";
import { type InProcess, measureInProcess } from "./in-process.ts";

const bundle = path.join(import.meta.dirname, "../dist/firstlight.js");

/** Machines that only say what they are told: one by a seed, one by EC2's service on loopback. */
export interface Discoveries {
  readonly cases: readonly Case[];
  /** Where EC2's service is. */
  readonly ec2: string;
  readonly close: () => void;
}

/** `discover` from the bundle, on a seed of NoCloud and on EC2. */
export async function discoverCases(userData: string): Promise<Discoveries> {
  const home = mkdtempSync(path.join(tmpdir(), "firstlight-bench-"));
  const service = await startService();
  const [seeded, cloud] = [path.join(home, "seeded"), path.join(home, "cloud")];
  writeMachine(seeded, qemuQ35);
  writeSeed(seeded, "i-bench", userData);
  writeMachine(cloud, ec2Nitro);
  const settings = { metadata: { addresses: { Ec2: [service.url] } } };
  writeTree(cloud, { "etc/firstlight/settings.json": JSON.stringify(settings) });
  const discoverOn = (root: string) => () => [
    ...[process.execPath, bundle, "discover", "-q", "--root", root],
  ];
  return {
    ec2: service.url,
    cases: [
      { name: "discover, NoCloud", argv: discoverOn(seeded), floor: "node -e 0" },
      { name: "discover, EC2", argv: discoverOn(cloud), floor: "node -e 0" },
    ],
    close() {
      service.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

async function startService(): Promise<{ readonly url: string; readonly stop: () => void }> {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, "metadata-service.ts")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once("line", resolve);
    child.once("exit", (code) => reject(new Error(`the metadata service ended with ${code}`)));
  });
  return { url, stop: () => void child.kill("SIGKILL") };
}

/** Looking for every datasource where there is none. */
export function measureDetection(rounds: number): Promise<InProcess> {
  return measureInProcess(qemuQ35, rounds, (io) =>
    discover(io, { datasources: undefined, log: silentLog }).then(
      () => Promise.reject(new Error("expected no datasource")),
      () => {},
    ),
  );
}
