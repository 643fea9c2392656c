import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { linkSettingsVersion, loadLinkSettings, readNodeAddress } from "../report-settings.ts";
import { tellEnrolment } from "./install.ts";

const status = {
  ...({ v: 1, state: "enrolled", fleet: "demo", until: null } as const),
  ...{ renews: null, code: null },
  refused: null,
};

t.test(
  "a node reports under the name of its certificate, unless a person has said another",
  async (t) => {
    const io = fakeIo(t.testdir());
    const mqtt = { host: "mqtt.example.org" };
    await t.rejects(loadLinkSettings(io, { report: { mqtt } }), { code: "link/settings-invalid" });
    const before = linkSettingsVersion(io.files);
    tellEnrolment(io, { ...status, node: "edge-17" });
    t.not(linkSettingsVersion(io.files), before, "the link is opened anew");
    t.match(await loadLinkSettings(io, { report: { mqtt } }), {
      address: { fleet: "demo", node: "edge-17" },
      clientId: "edge-17",
    });
    t.strictSame(
      readNodeAddress(io.files, {}),
      { fleet: "demo", node: "edge-17" },
      "updates too are for that name",
    );
    const named = linkSettingsVersion(io.files);
    tellEnrolment(io, { ...status, node: "edge-17", renews: "2026-02-01T00:00:00.000Z" });
    t.equal(linkSettingsVersion(io.files), named, "a renewal is no other name");
    t.match(await loadLinkSettings(io, { report: { mqtt, node: "own", fleet: "other" } }), {
      address: { fleet: "other", node: "own" },
    });
    t.match(readNodeAddress(io.files, { report: { node: "own" } }), { fleet: "demo", node: "own" });
    io.files.write("/run/firstlight/enrolment.json", "{");
    await t.rejects(loadLinkSettings(io, { report: { mqtt } }), { code: "link/settings-invalid" });
  },
);
