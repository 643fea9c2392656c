import { join } from "node:path";
import { overrun, readBudget, secondsOf } from "./suite/budget.ts";

// Holds the seconds of each suite (`NAME=SECONDS…`) against .ci/budget.json; for `.ci/run`.

const budget = readBudget(join(import.meta.dirname, "../.ci/budget.json"));

for (const argument of process.argv.slice(2)) {
  const [suite = "", seconds = ""] = argument.split("=");
  console.log(`${suite}: ${seconds} s of ${secondsOf(budget, suite)} s`);
  const late = overrun(budget, suite, Number(seconds));
  if (late === null) continue;
  console.error(`FAILED ${late}`);
  process.exitCode = 1;
}
