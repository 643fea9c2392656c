import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { generationRecordFile } from "#provisioner/render/generation-record.ts";
import { loadLinkSettings, readNodeAddress } from "./report-settings.ts";
import { writeReportSettings } from "./write-report-settings.ts";

const running = {
  v: 1,
  content: "c",
  release: "r",
  instance: "i",
  credentials: [],
  commands: [],
  hooks: [],
};
const broker = { mqtt: { host: "192.0.2.1" } };

t.test("a node has the same name for who verifies as for who reports", async (t) => {
  const cases = {
    "a name in the settings": [{ report: { fleet: "plant-7", node: "edge-17" } }, undefined],
    "the instance's": [{}, { instanceId: "i-1", spec: null, password: null }],
    "a name in the spec, above the settings'": [
      { report: { fleet: "plant-7", node: "edge-17" } },
      { instanceId: "i-1", spec: { fleet: "plant-8", node: "edge-18" }, password: null },
    ],
    "a fleet alone in the spec": [
      { report: { fleet: "plant-7" } },
      { instanceId: "i-1", spec: { fleet: "plant-8" }, password: null },
    ],
  } as const;
  const expected = [
    { fleet: "plant-7", node: "edge-17" },
    { fleet: "default", node: "i-1" },
    { fleet: "plant-8", node: "edge-18" },
    { fleet: "plant-8", node: "i-1" },
  ];
  for (const [index, [name, [settings, report]]] of Object.entries(cases).entries()) {
    const io = fakeIo(t.testdir());
    if (report !== undefined) {
      const record = JSON.stringify({ ...running, report });
      io.files.write(`/run/current-system/${generationRecordFile}`, record);
    }
    t.same(readNodeAddress(io.files, settings), expected[index], name);
    const given: { readonly report?: object } = settings;
    const link = await loadLinkSettings(io, { report: { ...given.report, ...broker } });
    t.same(link?.address, expected[index], `${name}, for the link`);
  }
});

t.test(
  "before any generation says it, what the boot left; without a name there is none",
  async (t) => {
    const io = fakeIo(t.testdir());
    t.equal(readNodeAddress(io.files, {}), undefined);
    writeReportSettings(io, {
      instanceId: "i-2",
      spec: undefined,
      settings: broker,
      credentials: new Map(),
    });
    t.same(readNodeAddress(io.files, {}), { fleet: "default", node: "i-2" });
  },
);
