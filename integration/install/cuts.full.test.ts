import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import { applyPlan } from "#provisioner/install/apply.ts";
import { fakeInstaller } from "#provisioner/install/fake-installer.ts";
import { sampleWishes } from "#provisioner/install/sample-layouts.ts";

// The power goes before every single effect of an installation, and once more in some of the starts after
// that: in the end there is what an installation that nobody disturbed leaves.

// In memory where that is to be had: what is tried here is the order of things, and not the disk.
const memory = "/dev/shm";
const places = existsSync(memory) ? memory : tmpdir();
const layouts = ["encrypted-btrfs-home", "mirror-ext4"];
t.setTimeout(600_000);

const tell = () => {};

class Cut extends Error {}

for (const name of layouts) {
  t.test(
    `${name}: cut anywhere, it is finished by the next start`,
    { timeout: 600_000 },
    async (t) => {
      const wishes = sampleWishes[name];
      if (wishes === undefined) return t.fail("no sample");
      const base = mkdtempSync(path.join(places, "firstlight-cuts-"));
      t.teardown(() => rmSync(base, { recursive: true }));
      const undisturbed = await fakeInstaller(mkdtempSync(path.join(base, "whole-")), wishes);
      const counting = undisturbed.io();
      const { plan, passphrase } = undisturbed;
      await applyPlan({ io: counting, plan, passphrase, readReport: undisturbed.readReport, tell });
      const wanted = undisturbed.contents();
      const total = counting.effects.length;
      t.ok(total > 20);
      const wrong: unknown[] = [];
      for (let at = 1; at <= total; at++) {
        const machine = await fakeInstaller(mkdtempSync(path.join(base, "cut-")), wishes);
        const { readReport } = machine;
        const cuts = at % 3 === 0 ? [at, 1 + ((at * 7) % total)] : [at];
        for (const cut of cuts) {
          const io = machine.io((number) => {
            if (number === cut) throw new Cut();
          });
          try {
            await applyPlan({ io, plan: machine.plan, passphrase, readReport, tell });
          } catch (error) {
            const isDone = (error as { code?: string }).code === "install/done-already";
            if (!(error instanceof Cut) && !isDone) wrong.push({ at, cut, error: String(error) });
          }
          machine.cutPower();
        }
        try {
          await applyPlan({ io: machine.io(), plan: machine.plan, passphrase, readReport, tell });
        } catch (error) {
          if ((error as { code?: string }).code !== "install/done-already")
            wrong.push({ at, error: String(error) });
        }
        machine.cutPower();
        if (JSON.stringify(machine.contents()) !== JSON.stringify(wanted))
          wrong.push({
            at,
            effect: counting.effects[at - 1],
            contents: Object.keys(machine.contents()),
          });
      }
      t.same(wrong, [], `${total} effects`);
    },
  );
}
