import { readFileSync } from "node:fs";
import path from "node:path";
import t, { type Test } from "tap";
import { tryRender } from "#provisioner/render/try-render.ts";
import type { DriftReport } from "#provisioner/system/drift/report.ts";
import { nixMachine, skipWithoutNix } from "./nix-machine.ts";
import { writeRendered } from "./render-check.ts";
import { bootContainer, inside, skipWithoutContainer } from "./sides/container.ts";
import type { FetchedInside } from "./sides/fetch-inside.ts";
import type { Seen } from "./sides/inside.ts";
import type { JudgedInside } from "./sides/judge-inside.ts";

t.setTimeout(300_000);
const skip = skipWithoutNix() || skipWithoutContainer();

/** A nixpkgs whose systems say where and how they were run, and no more. */
const nixpkgs = `{ }:
let config = import <nixos-config>; in
{
  config.system.build.toplevel = derivation {
    name = "nixos-system-\${config.name}";
    inherit (config) more;
    system = builtins.currentSystem;
    builder = "/bin/sh";
    args = [ "-c" ''
      PATH=/usr/bin:/bin
      mkdir -p $out/bin
      sed "s|@out@|$out|" \${./switch.sh} > $out/bin/switch-to-configuration
      chmod +x $out/bin/switch-to-configuration
    '' ];
  };
}
`;

const switchScript = `#!/bin/sh
case $1 in
test)
  ln -sfn @out@ /run/current-system
  case @out@ in
  *-nixos-system-falling) systemctl start falling.service ;;
  *) systemctl stop falling.service ;;
  esac
  ;;
dry-activate) echo "would start the following units: hello.service" >&2 ;;
esac
echo "$1 $(id -u) $(readlink /proc/self/ns/net)" >> /var/switches
`;

/** Falls again and again, and never too often for systemd. */
const falling = `[Unit]
StartLimitIntervalSec=0
[Service]
ExecStart=/bin/false
Restart=always
RestartSec=1
`;

const daemonUnits = {
  "etc/systemd/system/nix-daemon.socket": `[Socket]
ListenStream=/nix/var/nix/daemon-socket/socket
SocketMode=0666
[Install]
WantedBy=sockets.target
`,
  "etc/systemd/system/nix-daemon.service": `[Unit]
Requires=nix-daemon.socket
[Service]
ExecStart=/usr/bin/nix-daemon --daemon
`,
  "etc/nix/nix.conf":
    "substituters =\nsandbox = false\nbuild-users-group =\nexperimental-features = nix-command\n",
};

const story = `[Unit]
Requires=firstlight-system.socket firstlight-courier.socket nix-daemon.socket
After=firstlight-system.socket firstlight-courier.socket nix-daemon.socket
[Service]
Type=oneshot
ExecStart=${inside.node} ${inside.checkout}/integration/sides/inside.ts
ExecStopPost=/bin/systemctl poweroff --no-block
StandardOutput=journal+console
StandardError=journal+console
[Install]
WantedBy=basic.target
`;

/** The program lies elsewhere than the shipped unit says; the rest of the unit is as it ships. */
const place = `[Service]
Environment=PATH=/usr/sbin:/usr/bin:/sbin:/bin
ExecStart=
ExecStart=${inside.node} ${inside.checkout}/cli/main.ts system --sandboxed --idle 1s
`;

const units = [
  "firstlight-system.service",
  "firstlight-system.socket",
  "firstlight-courier.socket",
] as const;

t.test("the shipped root side, a real systemd, a real Nix daemon", { skip }, async (t) => {
  const machine = await nixMachine(t);
  const entry = writeRendered(t.testdir(), tryRender({}).sources);
  const system = await machine.build(`import ${entry}`);
  const shipped = await Promise.all(
    units.map(async (unit) => {
      const { stdout } = await machine.run(["cat", `${system}/etc/systemd/system/${unit}`]);
      t.match(stdout, "[Unit]", unit);
      return [`etc/systemd/system/${unit}`, stdout] as const;
    }),
  );
  const result = await bootContainer({
    ...Object.fromEntries(shipped),
    ...daemonUnits,
    "etc/systemd/system/firstlight-system.service.d/place.conf": place,
    "etc/systemd/system/story.service": story,
    "etc/systemd/system/falling.service": falling,
    "etc/systemd/system/basic.target.d/story.conf": "[Unit]\nWants=story.service\n",
    "etc/sysusers.d/firstlight.conf": "g firstlight -\n",
    "etc/tmpfiles.d/firstlight.conf": tmpfiles(),
    "opt/nixpkgs/nixos/default.nix": nixpkgs,
    "opt/nixpkgs/nixos/switch.sh": switchScript,
  });
  judge(t, result as Seen);
});

function judge(t: Test, seen: Seen): void {
  t.equal(seen["stateBefore"], "inactive", "it costs nothing until somebody asks");
  t.match(seen["first"], { committed: { generation: 1 }, plan: { warnings: [] } });
  t.match(seen["second"], {
    plan: { closure: { evaluatedBy: "apart" }, units: { start: ["hello.service"] } },
    trial: { activation: "switched" },
    committed: { generation: 2 },
    armed: /^firstlight-way-back-\S+\.timer loaded active/,
    left: "",
  });
  const { machine, rootSide } = seen["networks"] as Record<string, string>;
  t.not(rootSide, machine, "the root side has no network");
  const plan = ["check", "dry-activate"];
  const once = [...plan, "check", "test", "boot"].map((action) => `${action} 0 ${machine}`);
  t.same(seen["switches"], [...once, ...once], "a system runs outside of its sandbox");
  t.same(seen["modes"], [
    [0o600, 0, "root"],
    [0o660, 0, "its group"],
  ]);
  t.match(seen["secret"], {
    code: "system/evaluation-failed",
    message: /credentials\/secret': No such file/,
  });
  t.match(seen["imported"], { code: "system/evaluation-failed", hint: /builtins\.fetchTarball/ });
  t.match(seen["outside"], { message: /"journal":false.*Uid:\\t[1-9][0-9]{4}/ });
  t.match(JSON.parse(String(seen["courier"])), { state: "none", bootDefault: { generation: 2 } });
  t.match(seen["stranger"], /EACCES/, "not everybody may knock at the courier's door");
  t.match(seen["intruder"], /EACCES/, "nor the courier at root's");
  t.equal(seen["fetched"], "you asked for /part", "a child without privileges reads the network");
  judgeFetched(t, seen["closure"] as FetchedInside);
  const judged = seen["judged"] as JudgedInside;
  t.match(
    judged,
    {
      trial: { activation: "switched" },
      verdict: {
        healthy: false,
        reasons: [
          /^unit falling\.service: (restarted (once|\d+ times) since it was tried|ended with exit)/,
        ],
      },
      back: { generation: 3, restart: false },
      after: { healthy: true },
    },
    `a service that is restarted again and again takes its system back: ${JSON.stringify(judged)}`,
  );
  t.ok(judged.verdict.failed?.includes("unit falling.service"));
  t.match(seen, { idle: "inactive", result: "success", woken: { bootDefault: { generation: 3 } } });
  t.same(
    // Whether limits are kept is the kernel's of this host.
    seen.events.filter(
      (event) => event.type === "warning" && event.code !== "system/limit-not-applied",
    ),
    [],
  );
}

/** A root side without a network fetches through children that are nobody. */
function judgeFetched(t: Test, fetched: FetchedInside): void {
  t.match(fetched.untrusted, { code: "system/closure-untrusted" });
  t.match(fetched.committed, { generation: 3 }, JSON.stringify(fetched));
  t.ok(fetched.isThere);
  t.equal(fetched.requests, 2, "what the cache says of the path, and its archive");
  t.equal(fetched.users.length, 1, "by one child");
  t.same(
    fetched.users.filter((user) => !(user >= dynamicUsers.least && user <= dynamicUsers.most)),
    [],
  );
  t.match(fetched.drift, { deep: true, declared: { generation: 3 }, store: { paths: 1 } });
  const { items, unseen } = fetched.drift as DriftReport;
  t.same(unseen, [], "it is evaluated again, apart");
  t.notOk(
    items.some(({ layer }) => layer !== "intent"),
    JSON.stringify(items),
  );
}

/** systemd.exec(5), DynamicUser. */
const dynamicUsers = { least: 61_184, most: 65_519 } as const;

/** The rules of the module, and a secret. */
function tmpfiles(): string {
  const module = readFileSync(path.join(import.meta.dirname, "../nixos/module.nix"), "utf8");
  const rules = [...module.matchAll(/^ +"(d \/.*)"$/gm)].map(([, rule]) => rule);
  return [...rules, "f /var/lib/firstlight/credentials/secret 0400 root root - canary", ""].join(
    "\n",
  );
}
