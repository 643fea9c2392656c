import { X509Certificate } from "node:crypto";
import t from "tap";
import { plainBase, tryRender } from "#provisioner/render/try-render.ts";
import { nixMachine, skipWithoutNix } from "./nix-machine.ts";
import { writeRendered } from "./render-check.ts";
import { bootContainer, inside, skipWithoutContainer } from "./sides/container.ts";
import type { EnrolledInside } from "./sides/enrol-inside.ts";

t.setTimeout(300_000);
const skip = skipWithoutNix() || skipWithoutContainer();

const story = `[Unit]
Description=Enrol this machine
[Service]
Type=oneshot
Environment=PATH=/usr/sbin:/usr/bin:/sbin:/bin
ExecStart=${inside.node} ${inside.checkout}/integration/sides/enrol-inside.ts
ExecStopPost=/bin/systemctl poweroff --no-block
StandardOutput=append:/var/result
StandardError=journal+console
`;

/** What is run lies elsewhere than the shipped units say; the rest of them is as it ships. */
const enrollPlace = `[Service]
Environment=PATH=/usr/sbin:/usr/bin:/sbin:/bin
ExecStart=
ExecStart=${inside.node} ${inside.checkout}/cli/main.ts enroll --sandboxed
Restart=no
`;

const agentPlace = `[Unit]
After=
[Service]
Environment=PATH=/usr/sbin:/usr/bin:/sbin:/bin
Type=simple
WatchdogSec=0
ExecStart=
ExecStart=/bin/sh -c 'cat "$CREDENTIALS_DIRECTORY/firstlight-identity.pem"; id -u; exec sleep infinity'
StandardOutput=append:/var/agent-out
`;

const identityPlace = `[Service]
ExecStart=
ExecStart=/bin/systemctl --no-block try-restart firstlight-agent.service
`;

t.test(
  "with the shipped units and a real systemd a machine enrols, and hands its certificate to the agent",
  { skip },
  async (t) => {
    const machine = await nixMachine(t);
    const enroll = { url: "https://localhost:8443", caFile: "/var/fleet/ca.pem" };
    const base = { ...plainBase, settings: { fleet: { enroll } } };
    const { sources } = tryRender({}, { base });
    const system = await machine.build(`import ${writeRendered(t.testdir(), sources)}`);
    const unit = async (name: string) =>
      (await machine.run(["cat", `${system}/etc/systemd/system/${name}`])).stdout;
    const units = "etc/systemd/system";
    const result = (await bootContainer({
      [`${units}/firstlight-enroll.service`]: await unit("firstlight-enroll.service"),
      [`${units}/firstlight-enroll.service.d/place.conf`]: enrollPlace,
      [`${units}/firstlight-agent.service`]: await unit("firstlight-agent.service"),
      [`${units}/firstlight-agent.service.d/place.conf`]: agentPlace,
      [`${units}/firstlight-identity.path`]: await unit("firstlight-identity.path"),
      [`${units}/firstlight-identity.service`]: await unit("firstlight-identity.service"),
      [`${units}/firstlight-identity.service.d/place.conf`]: identityPlace,
      [`${units}/story.service`]: story,
      [`${units}/basic.target.d/story.conf`]: "[Unit]\nWants=story.service\n",
      "etc/sysusers.d/firstlight.conf": "g firstlight -\n",
    })) as EnrolledInside;
    t.notOk("error" in result, JSON.stringify(result, null, 2));
    t.match(result.status, { state: "enrolled", node: "edge-1" });
    t.match(result.identity, { mode: "400", uid: 0 });
    t.equal(result.directoryMode, "700");
    t.match(
      result.files.filter((name) => name.startsWith("key-")),
      [/^key-[0-9a-f]{64}\.cred$/],
    );
    t.match(
      result.handed,
      /^not enrolled yet\n?(?!0$)\d+\n/m,
      "the agent starts without a certificate, and is not root",
    );
    const pem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(
      result.handed,
    )?.[0];
    t.match(new X509Certificate(pem ?? "").subject, /^CN=edge-1$/m);
    t.match(result.handed, /BEGIN PRIVATE KEY/);
  },
);
