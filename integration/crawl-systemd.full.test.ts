import t from "tap";
import { tryRender } from "#provisioner/render/try-render.ts";
import { nixMachine, skipWithoutNix } from "./nix-machine.ts";
import { writeRendered } from "./render-check.ts";
import { bootContainer, inside, skipWithoutContainer } from "./sides/container.ts";
import type { CrawledInside } from "./sides/crawl-inside.ts";

t.setTimeout(300_000);
/** What the container's process 1 is told. */
const told = [
  "VMX_GUESTINFO=y",
  "VMX_GUESTINFO_METADATA=instance-id: vm",
  "product_name=OpenStack Nova",
].map((variable) => `--setenv=${variable}`);
const skip = skipWithoutNix() || skipWithoutContainer();

const hosts = `[Unit]
Before=firstlight-boot.service
[Service]
Type=notify
NotifyAccess=all
ExecStartPre=ip link set lo up
ExecStartPre=ip addr add 169.254.169.254/32 dev lo
ExecStartPre=ip addr add 169.254.42.42/32 dev lo
ExecStart=${inside.node} ${inside.checkout}/integration/sides/crawl-hosts.ts
`;

/** What is run lies elsewhere than the shipped unit says; the rest of the unit is as it ships. */
const bootPlace = `[Unit]
Requires=hosts.service firstlight-metadata.service
After=hosts.service firstlight-metadata.service
[Service]
Environment=PATH=/usr/sbin:/usr/bin:/sbin:/bin
ExecCondition=
ExecStart=
ExecStart=${inside.node} ${inside.checkout}/integration/sides/crawl-inside.ts
ExecStopPost=
ExecStopPost=/bin/systemctl poweroff --no-block
Restart=no
StandardOutput=append:/var/result
StandardError=journal+console
`;

const metadataPlace = `[Service]
ExecStart=
ExecStart=/usr/sbin/nft -f /etc/firstlight-metadata.nft
`;

t.test(
  "with the shipped units each cloud is asked, by a child that may do that and no more",
  { skip },
  async (t) => {
    const machine = await nixMachine(t);
    const addresses = ["169.254.169.254", "169.254.42.42"];
    const place = { cloud: "Ec2", addresses, ports: [80], identity: null };
    const { sources } = tryRender({}, { metadataService: place });
    const system = await machine.build(`import ${writeRendered(t.testdir(), sources)}`);
    const read = async (file: string) => (await machine.run(["cat", file])).stdout;
    const unit = (name: string) => read(`${system}/etc/systemd/system/${name}`);
    const closing = await unit("firstlight-metadata.service");
    const [, rules = ""] = /^ExecStart=.* -f (\S+)$/m.exec(closing) ?? [];
    const result = await bootContainer(
      {
        "etc/systemd/system/firstlight-boot.service": await unit("firstlight-boot.service"),
        "etc/systemd/system/firstlight-boot.service.d/place.conf": bootPlace,
        "etc/systemd/system/firstlight-metadata.service": closing,
        "etc/systemd/system/firstlight-metadata.service.d/place.conf": metadataPlace,
        "etc/systemd/system/hosts.service": hosts,
        "etc/systemd/system/basic.target.d/story.conf": "[Unit]\nWants=firstlight-boot.service\n",
        "etc/sysusers.d/firstlight.conf": "g firstlight-metadata -\n",
        "etc/firstlight-metadata.nft": await read(rules),
      },
      told,
    );
    t.match(result as CrawledInside, {
      Ec2: { "/latest/meta-data/instance-id": "i-0123456789abcdef0" },
      Scaleway: { "/user_data/cloud-init": "#cloud-config\n" },
      LXD: { "/1.0/meta-data": "instance-id: lxd\n" },
      CloudSigma: { "/": /cloudsigma/ },
      "Ec2, without the group": /ECONNREFUSED|no metadata within/,
      "Scaleway, without the capability": /EACCES|no metadata within/,
      "process 1": { metadata: "instance-id: vm", product: "OpenStack Nova" },
      "process 1, looked at": /EACCES/,
      "LXD, as one of the network": /EACCES|no metadata within/,
      "CloudSigma, as one of the network": /no metadata within|ttyS1/,
    });
  },
);
