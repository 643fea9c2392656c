import t from "tap";
import { validate } from "#generated/agent/settings.validate.js";
import { defaultBuildPolicy } from "#provisioner/system/build-policy.ts";
import { buildPolicy } from "./build-policy.ts";

t.test("what the settings do not say is the default", async (t) => {
  t.strictSame(buildPolicy({}), defaultBuildPolicy);
  t.strictSame(buildPolicy({ build: { limits: {}, keepFree: {} } }), defaultBuildPolicy);
});

t.test("what they say is what holds", async (t) => {
  const settings = {
    build: {
      limits: { memoryMax: "2G", memoryHigh: "80%", cpuWeight: 20, ioWeight: 10, tasksMax: "500" },
      evaluationMemory: { least: "1G", wanted: "2G" },
      keepFree: { store: "1M", state: "2M", boot: "3M", files: 4 },
      swap: "zram" as const,
    },
  };
  t.equal(validate(settings), true);
  t.strictSame(buildPolicy(settings), {
    limits: settings.build.limits,
    evaluationMemory: { leastBytes: 1024 ** 3, wantedBytes: 2 * 1024 ** 3 },
    keepFree: {
      storeBytes: 1024 ** 2,
      stateBytes: 2 * 1024 ** 2,
      bootBytes: 3 * 1024 ** 2,
      files: 4,
    },
    swap: "zram",
  });
});

t.test("limits that systemd would not read are refused by the settings", async (t) => {
  for (const memoryMax of ["", "2 G", "2GB", "-1", "90 %", "all", "1e3"])
    t.equal(validate({ build: { limits: { memoryMax } } }), false, memoryMax);
  for (const memoryMax of ["2G", "90%", "12.5%", "infinity", "1073741824"])
    t.equal(validate({ build: { limits: { memoryMax } } }), true, memoryMax);
});
