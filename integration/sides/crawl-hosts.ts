// What answers a machine of four clouds at their own places: two metadata services of a network, of which
// one answers ports below 1024 alone, a socket that is root's, and a serial port.

import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync } from "node:fs";
import { ec2Answers, onlyWith } from "#agent/datasources/clouds/fake-ec2.ts";
import { fakeSerialHost } from "#agent/datasources/clouds/try-line.ts";
import { fakeService } from "#agent/datasources/metadata/fake-service.ts";

const forever = { teardown: () => {} };
const network = { port: 80 } as const;

await fakeService(forever, ec2Answers, {
  ...network,
  host: "169.254.169.254",
  guard: onlyWith(() => "t0ken"),
});
await fakeService(
  forever,
  { "/conf": '{"id":"scaleway"}', "/user_data/cloud-init": "#cloud-config\n" },
  {
    ...network,
    host: "169.254.42.42",
    guard: ({ socket }) => ((socket.remotePort ?? 0) < 1_024 ? undefined : { status: 403 }),
  },
);
mkdirSync("/dev/lxd");
await fakeService(
  forever,
  { "/1.0/meta-data": "instance-id: lxd\n", "/1.0/config": "[]" },
  { socket: "/dev/lxd/sock" },
);
chmodSync("/dev/lxd/sock", 0o600);
const serial = await fakeSerialHost(forever, (received) =>
  received === "<\n\n>" ? '{"uuid":"cloudsigma"}\n\u0004' : "",
);
symlinkSync(serial.replace(/^serial:/, ""), "/dev/ttyS1");
spawnSync("systemd-notify", ["--ready"], { stdio: "inherit" });
