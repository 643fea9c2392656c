import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { addDisk } from "#agent/datasources/fake-machine.ts";
import { makeUdf, needs, writeTree } from "#agent/datasources/images/make-images.ts";
import { type FakeAnswer, fakeService } from "#agent/datasources/metadata/fake-service.ts";
import { firstlight, firstlightBeside, healthy, machine } from "./try-commands.ts";

/** A machine whose firmware says this, and whose metadata services are at these addresses. */
function cloudMachine(
  t: { testdir(): string },
  firmware: Readonly<Record<string, string>>,
  addresses: Readonly<Record<string, readonly string[]>>,
): string {
  const root = machine(t, "");
  rmSync(path.join(root, "var/lib/cloud"), { recursive: true });
  const write = (file: string, text: string) => {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  };
  for (const [name, text] of Object.entries(firmware))
    write(`sys/class/dmi/id/${name}`, `${text}\n`);
  write("etc/firstlight/settings.json", JSON.stringify({ metadata: { timeout: "5s", addresses } }));
  return root;
}

/** A machine of EC2 whose metadata service is at another address. */
function ec2Machine(t: { testdir(): string }, addresses: readonly string[]): string {
  const firmware = { product_uuid: "EC2A0E4F-1111-2222-3333-444444444444" };
  return cloudMachine(t, firmware, { Ec2: addresses });
}

const answers = {
  "/latest/api/token": "t0ken",
  "/latest/meta-data/": "instance-id\nlocal-hostname",
  "/latest/meta-data/instance-id": "i-0123456789abcdef0",
  "/latest/meta-data/local-hostname": "ip-192-0-2-7",
  "/latest/user-data": `#cloud-config\ntimezone: UTC\n${healthy}`,
};

t.test("a machine of a cloud: discovered, explained, booted", async (t) => {
  const { url } = await fakeService(t, answers);
  const root = ec2Machine(t, [url]);
  const found = await firstlightBeside(["discover", "--root", root, "--json"]);
  t.equal(found.code, 0);
  t.match(JSON.parse(found.stdout), {
    instance: {
      instanceId: "i-0123456789abcdef0",
      datasource: {
        ...{ name: "Ec2", identity: "Ec2" },
        evidence: [/^product uuid: ec2a0e4f-/, `${url}: answered`],
      },
    },
    exchanges: [{ method: "PUT", url: `${url}/latest/api/token`, status: 200 }],
  });
  const told = await firstlightBeside(["discover", "--root", root]);
  t.match(told.stderr, /Ec2: used: product uuid: ec2a0e4f-/);
  t.match(told.stderr, /\d+ ms: GET .*\/latest\/user-data: 200 after \d+ ms/);
  t.notMatch(told.stdout + told.stderr, "t0ken");
  t.notMatch(told.stderr, /: $/m, "and no colon with nothing after it");

  t.match(firstlight(["bootstrap", "--root", root]), {
    code: 0,
    stderr: /Ec2 is read over the network, which is not up yet/,
  });
  const boot = await firstlightBeside(["boot", "--root", root, "--driver", "dry"]);
  t.match(boot, { code: 0, stdout: /^committed/ });
  t.match(firstlight(["query", "cloud_name", "--root", root]), { code: 0, stdout: "aws\n" });
});

t.test("a boot asks a metadata service once, whether anything changed or not", async (t) => {
  let zone = "UTC";
  const { url, requests } = await fakeService(t, {
    ...answers,
    "/latest/user-data": (_request, response) =>
      response.end(`#cloud-config\ntimezone: ${zone}\n${healthy}`),
  });
  const root = ec2Machine(t, [url]);
  const boot = async () => {
    const before = requests.length;
    const ended = await firstlightBeside(["boot", "--root", root, "--driver", "dry"]);
    const tokens = requests.slice(before).filter((request) => request.startsWith("PUT"));
    return { ...ended, tokens: tokens.length };
  };
  const once = { code: 0, tokens: 1 };
  t.match(await boot(), { ...once, stdout: /^committed/ });
  t.match(await boot(), { ...once, stdout: /^unchanged/ });
  zone = "Europe/Zurich";
  t.match(await boot(), { ...once, stdout: /^committed/, stderr: /discover\.found.*Ec2/ });
  t.match(await boot(), { ...once, stdout: /^unchanged/ });
});

t.test("a metadata service that does not answer is another time's", async (t) => {
  const { url } = await fakeService(t, {}, { guard: () => ({ status: 503 }) });
  const root = ec2Machine(t, [url]);
  const boot = await firstlightBeside(["boot", "--root", root, "--driver", "dry"]);
  t.match(boot, { code: 75, stdout: /^failed: no metadata within 5000 ms from .*1 way was tried/ });
});

/** A machine of Azure with its two services, and what they heard. */
async function azureMachine(
  t: { testdir(): string; teardown(end: () => void): void },
  userData: string,
  wire: Readonly<Record<string, FakeAnswer>> = {},
) {
  const vmId = "d0df4c54-4ecb-4a4b-9954-5bdf3ed5c3b8";
  const encoded = Buffer.from(userData).toString("base64");
  const compute = { vmId, osProfile: { computerName: "edge", adminUsername: "nixos" } };
  const service = await fakeService(t, {
    "/metadata/instance": JSON.stringify({ compute: { ...compute, userData: encoded } }),
  });
  const reports: string[] = [];
  const wireserver = await fakeService(t, {
    "/machine/": `<GoalState><Incarnation>1</Incarnation><Container><ContainerId>c</ContainerId>
      <RoleInstanceList><RoleInstance><InstanceId>i</InstanceId></RoleInstance></RoleInstanceList>
      </Container></GoalState>`,
    "/machine": (request, response) => {
      request.on("data", (chunk: Buffer) => reports.push(chunk.toString()));
      request.on("end", () => response.end());
    },
    ...wire,
  });
  const firmware = {
    chassis_asset_tag: "7783-7084-3265-9085-8269-3286-77",
    product_uuid: vmId,
  };
  const addresses = { Azure: [service.url], "Azure/ready": [wireserver.url] };
  return { root: cloudMachine(t, firmware, addresses), reports, wireserver };
}

t.test("a machine of Azure says that it is up after a boot that ended well", async (t) => {
  const { root, reports } = await azureMachine(t, `#cloud-config\ntimezone: UTC\n${healthy}`);
  const boot = () => firstlightBeside(["boot", "--root", root, "--driver", "dry"]);
  t.match(await boot(), { code: 0, stdout: /^committed/ });
  t.match(reports, [/<State>Ready<\/State>/]);
  t.match(await boot(), { code: 0, stdout: /^unchanged/ });
  t.equal(reports.length, 2, "and in each boot again");
});

t.test("a machine of Azure whose boot did not end well says nothing", async (t) => {
  const { root, reports, wireserver } = await azureMachine(t, "#cloud-config\nusers: 7\n");
  t.match(await firstlightBeside(["boot", "--root", root, "--driver", "dry"]), { code: 4 });
  t.same(reports, []);
  t.same(wireserver.requests, []);
});

t.test("custom data of Azure's disc outlives the disc", needs("genisoimage"), async (t) => {
  const { root, reports } = await azureMachine(t, "");
  const customData = Buffer.from(`#cloud-config\ntimezone: UTC\n${healthy}`).toString("base64");
  const disc = writeTree(path.join(root, "../disc"), {
    "ovf-env.xml": `<Environment><ProvisioningSection><LinuxProvisioningConfigurationSet>
      <HostName>edge</HostName><CustomData>${customData}</CustomData>
      </LinuxProvisioningConfigurationSet></ProvisioningSection></Environment>`,
  });
  addDisk(root, "sr0", { image: makeUdf(`${disc}.iso`, disc) });
  const boot = () => firstlightBeside(["boot", "--root", root, "--driver", "dry"]);
  t.match(await boot(), { code: 0, stdout: /^committed/ });
  rmSync(path.join(root, "dev/sr0"));
  rmSync(path.join(root, "sys/class/block/sr0"), { recursive: true });
  t.match(await boot(), { code: 0, stdout: /^unchanged/ });
  t.equal(reports.length, 2);
});

t.test("a wireserver that is away changes nothing of how the boot ended", async (t) => {
  const document = `#cloud-config\ntimezone: UTC\n${healthy}`;
  const { root } = await azureMachine(t, document, { "/machine/": { status: 503 } });
  const boot = await firstlightBeside(["boot", "--root", root, "--driver", "dry"]);
  t.match(boot, { code: 0, stdout: /^committed/, stderr: /ready\.untold/ });
});

t.test("who asks for the boot is a child that says what came, and no more", async (t) => {
  const { url } = await fakeService(t, answers);
  const job = { datasource: "Ec2", addresses: [url], budgetMs: 5_000 };
  const { code, stdout } = await firstlightBeside(["crawl"], `${JSON.stringify(job)}\n`);
  t.equal(code, 0);
  t.match(JSON.parse(stdout), {
    ...{ v: 1, service: { url, from: null }, fault: null },
    answers: {
      "/latest/meta-data/instance-id": Buffer.from("i-0123456789abcdef0").toString("base64"),
    },
  });
  t.match(await firstlightBeside(["crawl"], '{"datasource":"None","budgetMs":1}'), { code: 4 });
});
