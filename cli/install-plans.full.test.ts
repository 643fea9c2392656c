import { readdirSync, readFileSync } from "node:fs";
import t from "tap";
import { hostFiles } from "#core/host-files.ts";
import { unfitOptions } from "#provisioner/nixos-options/rendered.ts";
import { compileHandMade } from "#provisioner/profiles/compile.ts";
import { planInstallation } from "./install-plan.ts";
import { machineOf, samplePlanText, sampleQuestion } from "./sample-install.ts";

const files = hostFiles(new URL("..", import.meta.url).pathname, () => {});
const { folders } = compileHandMade(files, "/hardware-profiles");
const goldens = new URL("./golden/install/", import.meta.url);
const framework = folders.filter(
  ({ file }) => file.id.startsWith("framework/") && file.tests !== undefined,
);

for (const profile of framework) {
  const name = `${profile.file.id.slice("framework/".length)}.txt`;
  t.test(`the plan of ${profile.file.id} is golden/install/${name}`, async (t) => {
    const question = await sampleQuestion(t.testdir(), machineOf(profile));
    t.equal(await samplePlanText(question), readFileSync(new URL(name, goldens), "utf8"));
    const plan = await planInstallation(question);
    t.equal(plan.machine.profile, profile.file.id);
    t.same(unfitOptions(plan.configuration.files), []);
  });
}

t.test("each golden is that of a profile", async (t) => {
  t.same(
    readdirSync(goldens).sort(),
    framework.map(({ file }) => `${file.id.slice("framework/".length)}.txt`).sort(),
  );
});
