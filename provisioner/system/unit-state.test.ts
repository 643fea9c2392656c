import t from "tap";
import { parseUnitState } from "./unit-state.ts";

const cases = [
  ["runs", "ActiveState=active\nResult=success\nExecMainStatus=0\n", true, undefined],
  ["is being stopped", "ActiveState=deactivating\n", true, undefined],
  ["is not known", "ActiveState=inactive\nResult=success\nExecMainStatus=0\n", false, undefined],
  [
    "has failed",
    "ExecMainStatus=4\nResult=exit-code\nActiveState=failed\n",
    false,
    { exitCode: 4, timedOut: false },
  ],
  [
    "did not begin, because what comes before it has failed",
    "ActiveState=failed\nResult=exit-code\nExecMainStatus=0\n",
    false,
    { exitCode: 1, timedOut: false },
  ],
  [
    "took too long",
    "ActiveState=failed\nResult=timeout\nExecMainStatus=15\n",
    false,
    { exitCode: null, timedOut: true },
  ],
  [
    "was killed",
    "ActiveState=failed\nResult=signal\nExecMainStatus=9\n",
    false,
    { exitCode: null, timedOut: false },
  ],
  [
    "had no process",
    "ActiveState=failed\nResult=resources\nExecMainStatus=0\n",
    false,
    { exitCode: null, timedOut: false, unstarted: true },
  ],
  [
    "failed, and no more is said",
    "ActiveState=failed\n",
    false,
    { exitCode: null, timedOut: false },
  ],
  ["nothing is said of", "", false, undefined],
] as const;

for (const [name, output, active, end] of cases) {
  t.test(`a unit that ${name} is read`, async (t) => {
    t.same(parseUnitState(output), { active, end });
  });
}
