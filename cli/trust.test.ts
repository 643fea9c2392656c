import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { fakeReceiver } from "#agent/update/fake-receiver.ts";
import { trustedFile } from "#agent/update/trusted-places.ts";
import { fakeIo } from "#core/fake-io.ts";
import { fakeFleet } from "#protocol/trust/fake-fleet.ts";
import { message } from "#protocol/trust/sign/message.ts";
import { isEnrolled } from "./node.ts";
import { firstlight } from "./try-commands.ts";

// Each command is a process of its own.
t.setTimeout(600_000);

t.test("a node says what it believes, why, and what it refused", async (t) => {
  const root = t.testdir({
    etc: {
      firstlight: {
        "settings.json": JSON.stringify({
          fleet: { root: "/etc/firstlight/root.json" },
          report: { fleet: "plant-7", node: "edge-17" },
        }),
      },
    },
  });
  const show = (...more: readonly string[]) =>
    firstlight(["trust", "show", "--root", root, ...more]);
  t.match(show(), { code: 1, stderr: /trust\/no-root/ });

  const fleet = fakeFleet({ nowMs: Date.now() });
  const node = fakeReceiver(root, fleet);
  const first = show();
  t.match(first, { code: 0, stdout: /read from +\/etc\/firstlight\/root\.json/ });
  t.match(first.stdout, /^timestamp +nothing yet; 1 of 1 keys must sign$/m);

  const old = message(fleet.publish());
  await node.submit(message(fleet.publish({ minimumRelease: 1, revoked: ["release/bad"] })));
  await node.submit(old);
  const { code, stdout } = show();
  t.equal(code, 0);
  t.match(stdout, /^node +edge-17 of the fleet plant-7$/m);
  t.match(stdout, /^root +1, until 20.*; 2 of 3 keys must sign\n( +\* [0-9a-f]{16} ed25519\n){3}/m);
  t.match(stdout, /^targets +2, until .*; 2 of 2 keys/m);
  t.match(stdout, /^builder-x86 +nothing yet/m);
  t.match(stdout, /^time +not before 20/m);
  t.match(
    stdout,
    /^releases +from number 1 on\nrevoked +release\/bad\nwanted +release\/one \(number 1\), update update-2$/m,
  );
  t.match(stdout, /^refused +20.* trust\/rollback: timestamp 1 came, and 2 is known$/m);
  for (const line of stdout.split("\n")) t.ok(line.length <= 100, line);

  const said = JSON.parse(show("--json").stdout);
  t.match(said, {
    v: 1,
    node: { fleet: "plant-7", node: "edge-17" },
    from: "state",
    minimumRelease: 1,
    stale: null,
    assigned: { updateId: "update-2", number: 1 },
    refused: { code: "trust/rollback", topic: "desired" },
  });
  t.equal(said.roles[0].keys.length, 3);
});

t.test("what has expired, and what is damaged, is said, with exit code 2", async (t) => {
  const root = t.testdir();
  const put = (file: string, text: string) => {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  };
  put("etc/firstlight/settings.json", '{"fleet":{"root":"/etc/firstlight/root.json"}}');
  const fleet = fakeFleet({ nowMs: Date.UTC(2026, 1, 1) });
  const node = fakeReceiver(root, fleet);
  await node.submit(message(fleet.publish()));
  const show = () => firstlight(["trust", "show", "--root", root]);
  t.match(show(), {
    code: 2,
    stdout: /^stale +timestamp 1 expired at 2026-02-01T06:00:00Z, and nothing newer came$/m,
  });
  put(trustedFile, "{");
  t.match(show(), { code: 2, stdout: /^damaged +\/var\/lib\/firstlight\/trust\/state\.json: /m });
  t.match(firstlight(["trust", "hide", "--root", root]), { code: 4, stderr: /expected show/ });
});

t.test("a node of no fleet says so", async (t) => {
  t.match(firstlight(["trust", "show", "--root", t.testdir()]), {
    code: 1,
    stderr: /trust\/not-enrolled/,
  });
});

t.test("a node belongs to a fleet once anything says whose signatures count", async (t) => {
  const places = ["trust/root.json", "trust/state.json", "trusted.json"];
  t.notOk(isEnrolled(fakeIo(t.testdir()).files, {}));
  t.ok(isEnrolled(fakeIo(t.testdir()).files, { fleet: { root: "/etc/firstlight/root.json" } }));
  for (const place of places) {
    const { files } = fakeIo(t.testdir());
    files.write(`/var/lib/firstlight/${place}`, "{}");
    t.ok(isEnrolled(files, {}), place);
  }
});
