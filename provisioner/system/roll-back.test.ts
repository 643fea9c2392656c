import t from "tap";
import type { FakeLoader } from "./fake-firmware.ts";
import {
  fresh,
  good,
  healthy,
  marks,
  provedMachine,
  reason,
  start,
  unproved,
} from "./fake-first-boot.ts";

const sick = { ...healthy, healthy: false, reasons: ["http: refused"] };
const loaders: readonly FakeLoader[] = ["systemd-boot", "grub"];

t.setTimeout(300_000);

for (const loader of loaders) {
  t.test(
    `${loader}: what was made the boot default by hand is set back, killed anywhere`,
    async (t) => {
      let deaths = 0;
      for (let dieAt = 1, isDone = false; !isDone; dieAt++) {
        const m = await provedMachine(t, loader);
        const c = start(m);
        const trial = await c.try(await c.plan(await c.build(unproved, reason)));
        m.choose(fresh); // `nixos-rebuild boot` of what is on trial
        isDone = await start(m, dieAt)
          .rollBack(trial, sick)
          .then(
            () => true,
            () => false,
          );
        if (!isDone) deaths += 1;
        t.match(await start(m).recover(), { fault: null });
        t.strictSame([m.running(), m.profile(), m.bootDefault()], [good, good, good], `${dieAt}`);
        t.same(marks(m), []);
        t.match(await start(m).recover(), { state: "clean" }, `${dieAt}`);
      }
      t.ok(deaths > 10, `${deaths} deaths`);
    },
  );
}
