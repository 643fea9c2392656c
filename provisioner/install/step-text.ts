import { shellWord } from "#provisioner/render/assignment.ts";
import type { InstallStep, StepAction } from "./steps.ts";

/** The steps for a person: what each does, and the command as it would be typed. */
export function stepLines(steps: readonly InstallStep[]): readonly string[] {
  const lines: string[] = [];
  let stage = "";
  for (const step of steps) {
    if (step.stage !== stage) lines.push(`${step.stage}:`);
    stage = step.stage;
    lines.push(`  ${step.does}`, ...actionLines(step.action).map((line) => `    ${line}`));
  }
  return lines;
}

function actionLines(action: StepAction): readonly string[] {
  switch (action.kind) {
    case "configuration":
      return [];
    case "directory":
      return [`mkdir -p ${shellWord(action.path)}`];
    case "run": {
      const variables = Object.entries(action.env ?? {}).map(([name, value]) => `${name}=${value}`);
      const command = [...variables, ...action.argv].map(shellWord).join(" ");
      if (action.input === undefined) return [command];
      if ("secret" in action.input) return [`${command}  < the ${action.input.secret}`];
      return [`${command} <<END`, ...action.input.text.trimEnd().split("\n"), "END"];
    }
  }
}
