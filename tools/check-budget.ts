import { join } from "node:path";
import { overrun, readBudget, secondsOf } from "./suite/budget.ts";
import { measureSlowness } from "./suite/machine-speed.ts";

// Holds the seconds of each suite (`NAME=SECONDS…`) against .ci/budget.json; for `.ci/run`.

const budget = readBudget(join(import.meta.dirname, "../.ci/budget.json"));

const times = process.argv.slice(2);
const slowness = times.length === 0 ? 1 : measureSlowness(budget);

for (const argument of times) {
  const [suite = "", seconds = ""] = argument.split("=");
  console.log(`${suite}: ${seconds} s of ${secondsOf(budget, suite)} s`);
  const late = overrun(budget, suite, Number(seconds), slowness);
  if (late === null) continue;
  console.error(`FAILED ${late}`);
  process.exitCode = 1;
}
