import { fakeIo } from "#core/fake-io.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import type { DiskReport } from "#provisioner/install/disk-report.ts";
import { installPlanText } from "#provisioner/install/plan-text.ts";
import { sampleReport } from "#provisioner/install/sample-report.ts";
import type { ProfileSource } from "#provisioner/profiles/resolve.ts";
import { sampleFacts } from "#provisioner/profiles/sample-facts.ts";
import { translate } from "#provisioner/userdata/translate.ts";
import { findAssets } from "./assets.ts";
import { type InstallQuestion, planInstallation } from "./install-plan.ts";

const gibibyte = 1024 ** 3;

/** For tests: the first machine of a profile's own tests, with a disk and as much memory as most have. */
export function machineOf({ file }: ProfileSource): { facts: Facts; report: DiskReport } {
  const known = file.tests?.match.find(({ facts }) => facts !== undefined)?.facts;
  if (known === undefined) throw new Error(`${file.id}: no machine in its tests`);
  const { report, disks } = sampleReport([
    {
      name: "nvme0n1",
      id: "nvme-WD_BLACK_SN850X_2000GB_S1",
      sizeBytes: 2_000_398_934_016,
      model: "WD_BLACK SN850X 2000GB",
    },
  ]);
  const facts = sampleFacts(known);
  const said: Partial<Facts> = {
    chassis: file.id.includes("desktop") ? "desktop" : "laptop",
    memoryBytes: 31.2 * gibibyte,
    blockDevices: disks,
    firmware: { type: "uefi", secureBoot: false, setupMode: false, platformBits: 64 },
    tpm: { version: "2.0", eventLog: file.id.includes("ai-300") ? "incomplete" : "complete" },
  };
  return { facts: { ...facts, ...said }, report };
}

/** For tests: what is asked where a person asks for nothing. */
export async function sampleQuestion(
  root: string,
  machine: Pick<InstallQuestion, "facts" | "report">,
): Promise<InstallQuestion> {
  return {
    ...{ ...machine, io: fakeIo(root), profiles: await findAssets().profiles() },
    ...{ asked: {}, named: [], documents: {}, stateVersion: "25.11" },
    seed: "5eed5eed-5eed-4eed-8eed-5eed5eed5eed",
    translate: async (documents) =>
      translate(documents, {
        ...{ hostname: null, publicKeys: [], secrets: new Map(), fetched: new Map() },
        ...{ defaultUser: "admin", isSigned: false },
      }),
  };
}

/** A plan as text, without what changes with the program: digests. */
export async function samplePlanText(question: InstallQuestion): Promise<string> {
  const text = installPlanText(await planInstallation(question)).join("\n");
  return `${text.replaceAll(/\b[0-9a-f]{64}\b/g, "<digest>")}\n`;
}
