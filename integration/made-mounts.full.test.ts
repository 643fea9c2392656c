import t from "tap";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { credentialsOf, tryRender } from "#provisioner/render/try-render.ts";
import { type NixMachine, nixMachine, skipWithoutNix } from "./nix-machine.ts";
import { writeRendered } from "./render-check.ts";
import { bootContainer, skipWithoutContainer } from "./sides/container.ts";

t.setTimeout(300_000);
const skip = skipWithoutNix() || skipWithoutContainer();

/** A disk that cannot be mounted before a command has made what is on it. */
const parts = ["lower", "upper", "work"].map((name) => `/run/disk/${name}`);
const [lower, upper, work] = parts;
const options = ["nofail", `lowerdir=${lower}`, `upperdir=${upper}`, `workdir=${work}`];

const spec: Omit<Spec, "version"> = {
  users: { daemon: { home: "/srv/disk/home/daemon" } },
  mounts: [{ device: "overlay", path: "/srv/disk", type: "overlay", options }],
  files: [
    { path: "/srv/plain", content: "here before the command\n" },
    { path: "/srv/disk/app/conf", content: "on the disk\n", owner: "daemon", group: "daemon" },
    { path: "/srv/disk/home/daemon/.profile", content: "at home\n", once: true },
  ],
  commands: [
    { name: "bootcmd", when: "early", frequency: "always", script: { secretRef: "bootcmd" } },
  ],
};

/** What the command does when the mount was tried in vain, and what it sees. */
const bootcmd = `until systemctl is-failed --quiet srv-disk.mount; do sleep 0.1; done
mkdir -p ${parts.join(" ")}
cp /srv/plain ${lower}/seen
`;

const services = [
  "firstlight-files",
  "firstlight-command-bootcmd",
  "firstlight-mounts",
  "firstlight-homes",
  "firstlight-files-mounted",
];

/** What wants the units: a boot, or a switch. */
const moments = {
  "in a boot": { wants: "story.service", before: ":" },
  "in a switch": {
    wants: "sysinit-reactivation.target",
    before: "systemctl restart sysinit-reactivation.target",
  },
} as const;

/** As one that waits for the network does; then the machine is off. */
const story = `[Unit]
After=network-pre.target
[Service]
Type=oneshot
ExecStart=/bin/bash /opt/look.sh
ExecStopPost=/bin/systemctl poweroff --no-block
`;

const look = (before: string) => `${before}
cd /srv
line() { printf '"%s":"%s",' "$1" "$(eval "$2" 2>&1 | tr '\\n' ' ')"; }
{
  printf '{'
  line mount 'systemctl is-active srv-disk.mount'
  line seen 'cat disk/seen'
  line file 'cat disk/app/conf'
  line owner 'stat -c %U:%a disk/app disk/home/daemon'
  line home 'cat disk/home/daemon/.profile'
  line failed 'systemctl list-units --failed --no-legend --plain "firstlight-*"'
  umount /srv/disk
  line below 'ls -A disk'
  printf '"v":1}'
} > /var/result
`;

/** A unit as it ships, with all of the store that it names; its programs are the container's. */
async function filesOf(machine: NixMachine, system: string, name: string) {
  const read = async (file: string) => (await machine.run(["cat", file])).stdout;
  const unit = await read(`${system}/etc/systemd/system/${name}.service`);
  const [, script = ""] = /^ExecStart=(\S+)$/m.exec(unit) ?? [];
  const texts = [...unit.matchAll(/"FILE_\d+=(\S+)"/g)].map(([, file = ""]) => file);
  const place = `[Service]\nEnvironment=PATH=/usr/sbin:/usr/bin:/sbin:/bin\nExecStart=\nExecStart=/bin/bash ${script}\n`;
  const stored = await Promise.all(
    [script, ...texts].map(async (file) => [file.slice(1), await read(file)] as const),
  );
  return [
    [`etc/systemd/system/${name}.service`, unit],
    [`etc/systemd/system/${name}.service.d/place.conf`, place],
    ...stored,
  ] as const;
}

for (const [moment, { wants, before }] of Object.entries(moments)) {
  const name = `a disk that an early command makes is mounted, and has its files: ${moment}`;
  t.test(name, { skip }, async (t) => {
    const machine = await nixMachine(t);
    const credentials = credentialsOf({ ...spec, version: 1 }, false);
    const { sources, findings } = tryRender(spec, { credentials, base: { mutableUsers: true } });
    t.same(
      findings.filter(({ level }) => level === "error"),
      [],
    );
    const system = await machine.build(`import ${writeRendered(t.testdir(), sources)}`);
    const units = await Promise.all(services.map((name) => filesOf(machine, system, name)));
    const secret = credentials.get("bootcmd")?.file ?? "";
    const wanted = services.map((name) => `${name}.service`).join(" ");
    const seen = await bootContainer({
      ...Object.fromEntries(units.flat()),
      [`var/lib/firstlight/credentials/${secret}`]: bootcmd,
      "etc/fstab": `overlay /srv/disk overlay ${options.join(",")} 0 0\n`,
      "etc/systemd/system/story.service": story,
      "etc/systemd/system/sysinit-reactivation.target": "[Unit]\nDescription=x\n",
      [`etc/systemd/system/${wants}.d/wants.conf`]: `[Unit]\nWants=network-pre.target ${wanted}\n`,
      "etc/systemd/system/basic.target.d/story.conf": "[Unit]\nWants=story.service\n",
      "opt/look.sh": look(before),
    });
    t.match(seen, {
      mount: "active ",
      seen: "here before the command ",
      file: "on the disk ",
      owner: "daemon:755 daemon:700 ",
      home: "at home ",
      failed: "",
      below: "",
    });
  });
}
