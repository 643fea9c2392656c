import { formatBytes } from "#core/bytes.ts";
import type { InstallPlan } from "./plan.ts";
import { stepLines } from "./step-text.ts";
import { storageFile } from "./storage-options.ts";

/** A plan for a person, whole: what is lost comes before what is made. */
export function installPlanText(plan: InstallPlan): readonly string[] {
  const { machine, disks, left, layout, reasons, remarks, configuration, warnings } = plan;
  const { product, profile, confidence } = machine;
  const storage = configuration.files.find(({ path }) => path.endsWith(`/${storageFile}`));
  return [
    `plan ${plan.digest}`,
    "",
    `machine: ${product ?? "nobody knows which"}`,
    `profile: ${profile ?? "none"} (${confidence})`,
    ...remarks.map((each) => `  it ${each}`),
    "",
    "decided:",
    ...reasons.map(({ what, value, why }) => `  ${what}: ${value} (${why})`),
    "",
    layout.kept === true
      ? "erased, but for the EFI system partition and /home:"
      : "erased, with everything on it:",
    ...disks.map(({ id, sizeBytes, model, holds }) => {
      const lost = holds.length === 0 ? "it is empty" : `it holds ${holds.join(", ")}`;
      return `  ${id}: ${model ?? "unknown model"}, ${formatBytes(sizeBytes)}; ${lost}`;
    }),
    ...(left.length === 0 ? [] : ["left alone:"]),
    ...left.map(
      ({ id, name, sizeBytes, why }) =>
        `  ${id ?? name}: ${sizeBytes === null ? "size unknown" : formatBytes(sizeBytes)}; ${
          why.map(({ message, code }) => `${message} [${code}]`).join("; ") ||
          "another one was named"
        }`,
    ),
    "",
    `layout ${layout.name}:`,
    ...layout.disks.flatMap(({ binding, partitions }) => [
      `  ${binding.id}`,
      ...partitions.map(
        ({ number, role, sizeBytes }) =>
          `    ${number} ${role.padEnd(7)} ${formatBytes(sizeBytes)}`,
      ),
    ]),
    "",
    "configuration:",
    ...configuration.files.map(({ path }) => `  ${path}`),
    ...(storage === undefined ? [] : ["", `${storage.path}:`, ...indented(storage.content)]),
    ...(warnings.length === 0 ? [] : ["", "to know:", ...warnings.map((each) => `  ${each}`)]),
    "",
    ...stepLines(plan.steps),
  ];
}

function indented(text: string): readonly string[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => (line === "" ? "" : `  ${line}`));
}
