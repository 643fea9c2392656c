import { inspect } from "node:util";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { readLinkSettings } from "./link-settings.ts";

const mqtt = { host: "mqtt.example.org" };

t.test("with no broker named there is no link", async (t) => {
  const io = fakeIo(t.testdir());
  t.equal(readLinkSettings(io, undefined, "i-1"), undefined);
  t.equal(readLinkSettings(io, { fleet: "shops" }, "i-1"), undefined);
});

t.test("what is not said has a sensible value", async (t) => {
  const io = fakeIo(t.testdir());
  t.match(readLinkSettings(io, { mqtt }, "i-1"), {
    address: { fleet: "default", node: "i-1" },
    port: 1883,
    clientId: "i-1",
    tls: undefined,
    acknowledge: "broker",
    healthIntervalMs: 60_000,
  });
  t.match(
    readLinkSettings(
      io,
      { mqtt: { ...mqtt, tls: true }, node: "edge-17", healthInterval: "5m" },
      "i-1",
    ),
    {
      address: { node: "edge-17" },
      port: 8883,
      tls: {},
      healthIntervalMs: 300_000,
    },
  );
});

t.test("files are read, and the password stays a secret", async (t) => {
  const io = fakeIo(t.testdir({ ca: "PEM", password: "correct horse\n" }));
  const named = { ...mqtt, tls: true, caFile: "/ca", username: "u", passwordFile: "/password" };
  const settings = readLinkSettings(io, { mqtt: named }, "i-1");
  t.match(settings, { tls: { ca: "PEM" }, username: "u" });
  t.equal(settings?.password?.reveal(), "correct horse");
  t.notMatch(inspect(settings, { depth: 9 }), /horse/);
});

t.test("a missing or empty file, or a node without a name, is named", async (t) => {
  const io = fakeIo(t.testdir({ empty: "" }));
  const read = (more: object, id?: string) => () =>
    readLinkSettings(io, { mqtt: { ...mqtt, ...more } }, id);
  t.throws(read({ tls: true, caFile: "/nowhere" }, "i"), {
    code: "link/settings-invalid",
    message: /caFile: \/nowhere does not exist below \/.*, which --root names$/,
  });
  t.throws(read({ passwordFile: "/empty" }, "i"), {
    code: "link/settings-invalid",
    message: /passwordFile: \/empty is empty/,
  });
  t.throws(read({}), { code: "link/settings-invalid", message: /no name/ });
});
