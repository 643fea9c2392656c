import path from "node:path";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { auditRepository } from "./audit.ts";
import { directory, fakeOwners } from "./fake-owners.ts";

t.setTimeout(300_000);
const nowMs = Date.UTC(2026, 1, 1);
const one = { name: "one", number: 1, spec: { version: 1, hostname: "edge" } };
const wish = { release: "one", update: { id: "u-1" } };

t.test("killed at any moment, a fleet goes on where it was", async (t) => {
  const root = t.testdir();
  const counted = fakeIo(path.join(root, "whole"));
  const story = async (io: ReturnType<typeof fakeIo>) => {
    const owners = await fakeOwners(io, nowMs);
    await owners.init();
    await owners.release(one);
    await owners.assign("edge-17", wish);
  };
  await story(counted);
  const effects = counted.effects.length;
  for (let dieAt = 1; dieAt <= effects; dieAt++) {
    const place = path.join(root, `${dieAt}`);
    const onEffect = (number: number) => {
      if (number === dieAt) throw new Error("killed");
    };
    await t.rejects(story(fakeIo(place, {}, { onEffect })), { message: "killed" });
    const { files } = fakeIo(place);
    if (files.stat(`${directory}/fleet.json`) === undefined) continue;
    const after = auditRepository(files, directory, nowMs);
    t.same(
      after.checks.filter(({ fault }) => fault),
      [],
      `killed before effect ${dieAt}`,
    );
  }
  const files = fakeIo(path.join(root, "1")).files;
  const owners = await fakeOwners({ ...counted, files }, nowMs);
  t.equal((await owners.init()).roots.length, 1, "init is done anew");
  await t.rejects(owners.init(), { code: "signing/exists" });
});
