import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
  timeout = "5s",
): string {
  const root = machine(t, "");
  rmSync(path.join(root, "var/lib/cloud"), { recursive: true });
  const write = (file: string, text: string) => {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  };
  for (const [name, text] of Object.entries(firmware))
    write(`sys/class/dmi/id/${name}`, `${text}\n`);
  write("etc/firstlight/settings.json", JSON.stringify({ metadata: { timeout, addresses } }));
  return root;
}

/** A machine of EC2 whose metadata service is at another address. */
function ec2Machine(
  t: { testdir(): string },
  addresses: readonly string[],
  timeout?: string,
): string {
  const uuid = "EC2A0E4F-1111-2222-3333-444444444444";
  const firmware = { product_uuid: uuid, sys_vendor: "Amazon EC2" };
  return cloudMachine(t, firmware, { Ec2: addresses }, timeout);
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
  t.match(told.stderr, /Ec2: used after [\d.]+ ms: product uuid: ec2a0e4f-/);
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

t.test("before a service that takes an address of the link, each card takes one", (t) => {
  const file = "run/systemd/network/90-firstlight-link-local.network";
  const droplet = cloudMachine(t, { sys_vendor: "DigitalOcean" }, {});
  t.match(firstlight(["bootstrap", "--root", droplet]), {
    code: 0,
    stderr: /bootstrap\.link-local[\s\S]*DigitalOcean is read over the network/,
  });
  t.match(readFileSync(path.join(droplet, file), "utf8"), /^LinkLocalAddressing=yes$/m);
  const other = ec2Machine(t, ["http://192.0.2.1"]);
  t.equal(firstlight(["bootstrap", "--root", other]).code, 0);
  t.notOk(existsSync(path.join(other, file)), "other clouds lease one");
  t.end();
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

t.test("where there is no datasource, or a broken one, what was looked at is told", (t) => {
  const looking = (root: string) => firstlight(["discover", "--root", root]);
  const root = cloudMachine(t, {}, {});
  t.match(looking(root), {
    code: 75,
    stderr: /NoCloud: absent after [\d.]+ ms[\s\S]*datasource\/none/,
  });
  const seed = path.join(root, "var/lib/cloud/seed/nocloud");
  mkdirSync(seed, { recursive: true });
  writeFileSync(path.join(seed, "meta-data"), "{");
  writeFileSync(path.join(seed, "user-data"), "");
  t.match(looking(root), { code: 4, stderr: /NoCloud: broken after [\d.]+ ms: .*meta-data/ });
  t.end();
});

t.test("a metadata service that does not answer is another time's", async (t) => {
  const { url } = await fakeService(t, {}, { guard: () => ({ status: 503 }) });
  const root = ec2Machine(t, [url], "1500ms");
  const boot = await firstlightBeside(["boot", "--root", root, "--driver", "dry"]);
  t.match(boot, { code: 75, stdout: /^failed: no metadata within 1500 ms from .*1 way was tried/ });
  const looking = ["discover", "--root", root] as const;
  const [told, data] = await Promise.all([
    firstlightBeside(looking),
    firstlightBeside([...looking, "--json"]),
  ]);
  t.match(told, { code: 75, stdout: "" });
  t.match(told.stderr, /NoCloud: absent after [\d.]+ ms(: .*)?$/m);
  t.match(
    told.stderr,
    /Ec2: broken after [\d.]+ ms: product uuid: ec2a0e4f-.*; no metadata within/,
  );
  t.match(told.stderr, /\d+ ms: PUT .*\/latest\/api\/token: 503 after \d+ ms/);
  t.equal(data.code, 75);
  const { fault, attempts, exchanges } = JSON.parse(data.stdout);
  t.match(fault, { code: "datasource/unreachable" });
  const tried = attempts.find(({ name }: { readonly name: string }) => name === "Ec2");
  t.match(tried, { result: "broken", evidence: [/^product uuid/, /^no metadata/] });
  t.ok(tried.ms >= 1_500, `${tried.ms} ms`);
  t.ok(exchanges.length > 1, "every exchange is told");
  t.match(exchanges[0], { method: "PUT", url: `${url}/latest/api/token`, status: 503 });
});

t.test("a cloud is asked over the network that the kernel's command line says", async (t) => {
  const heard: boolean[] = [];
  const programs = path.join(t.testdirName, "programs");
  const log = path.join(programs, "log");
  const { url } = await fakeService(t, {
    ...answers,
    "/latest/api/token": (_request, response) => {
      heard.push(existsSync(log));
      response.end("t0ken");
    },
  });
  const root = ec2Machine(t, [url]);
  const network = "version: 2\nethernets: { lan: { addresses: [192.0.2.10/24] } }\n";
  const word = `network-config=${Buffer.from(network).toString("base64")}`;
  writeTree(root, { "proc/cmdline": `quiet ${word}\n`, "run/systemd/system/a": "" });
  // Where this machine's interfaces are told of, and set up.
  const route = "lan 00000000 01000A0A 0003 0 0 0 00000000 0 0 0";
  const ip = `#!/bin/sh
case $* in
  *-json*) echo '[{ "ifname": "lan", "link_type": "ether" }]' ;;
  *-batch*) cat >${log}; mkdir -p ${root}/proc/net; echo '${route}' >${root}/proc/net/route ;;
esac
`;
  const systemctl = "#!/bin/sh\n"; // no unit has failed
  writeTree(programs, { ip, systemctl });
  for (const name of ["ip", "systemctl"]) chmodSync(path.join(programs, name), 0o755);
  const before = process.env["PATH"] ?? "";
  t.teardown(() => {
    process.env["PATH"] = before;
  });
  process.env["PATH"] = `${programs}:${before}`;
  const booted = await firstlightBeside(["boot", "--root", root, "--driver", "dry"]);
  t.match(booted, { code: 0, stdout: /^committed/ });
  t.equal(
    readFileSync(log, "utf8"),
    "link set dev lan up\naddress replace 192.0.2.10/24 dev lan\n",
  );
  t.equal(heard[0], true, "it was up before anybody was asked");
  t.match(
    readFileSync(path.join(root, "etc/nixos/firstlight/network.nix"), "utf8"),
    "192.0.2.10/24",
  );
});

/** A machine of Azure with its two services, and what they heard. */
async function azureMachine(
  t: { testdir(): string; teardown(end: () => void): void },
  userData: string | (() => string),
  wire: Readonly<Record<string, FakeAnswer>> = {},
) {
  const vmId = "d0df4c54-4ecb-4a4b-9954-5bdf3ed5c3b8";
  const said = typeof userData === "string" ? () => userData : userData;
  const compute = { vmId, osProfile: { computerName: "edge", adminUsername: "nixos" } };
  const service = await fakeService(t, {
    "/metadata/instance": (_request, response) => {
      const encoded = Buffer.from(said()).toString("base64");
      response.end(JSON.stringify({ compute: { ...compute, userData: encoded } }));
    },
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
  return { root: cloudMachine(t, firmware, addresses), reports };
}

const [ready, failed] = [/<State>Ready<\/State>/, /<State>NotReady<\/State>/];

t.test("a machine of Azure says that it is up, in each boot once", async (t) => {
  let userData = `#cloud-config\ntimezone: UTC\n${healthy}`;
  const { root, reports } = await azureMachine(t, () => userData);
  const boot = () => firstlightBeside(["boot", "--root", root, "--driver", "dry"]);
  t.match(await boot(), { code: 0, stdout: /^committed/ });
  t.match(reports, [ready]);
  t.match(await boot(), { code: 0, stdout: /^unchanged/ });
  t.match(reports, [ready, ready]);
  userData = "#cloud-config\nusers: 7\n";
  t.match(await boot(), { code: 4, stdout: /^invalid/ });
  t.equal(reports.length, 2, "a later boot that fails is no failed provisioning");
});

t.test("before it builds anything, and afterwards that its first boot failed", async (t) => {
  const unhealthy = `#cloud-config
timezone: UTC
firstlight:
  health:
    passes: 1
    interval: 1ms
    timeout: 1s
    checks: [{ type: tcp, host: 127.0.0.1, port: 9, timeout: 1s }]
`;
  const { root, reports } = await azureMachine(t, unhealthy);
  const boot = () => firstlightBeside(["boot", "--root", root, "--driver", "dry"]);
  t.match(await boot(), { code: 3, stdout: /^rolled-back/ });
  t.match(reports, [ready, failed]);
  t.match(reports[1], /<Description>firstlight: rolled-back: .*tcp 127\.0\.0\.1 port 9/);
  t.match(await boot(), { stdout: /^rolled-back/ });
  t.match(reports.slice(2), [failed], "and is not up before that is mended");
});

t.test("a machine of Azure whose documents are wrong says so, and nothing of them", async (t) => {
  const { root, reports } = await azureMachine(t, `#cloud-config\nusers: 7\npassword: c4nary\n`);
  t.match(await firstlightBeside(["boot", "--root", root, "--driver", "dry"]), { code: 4 });
  t.match(reports, [failed]);
  t.match(
    reports[0],
    /<SubStatus>ProvisioningFailed<\/SubStatus><Description>firstlight: invalid: /,
  );
  t.notMatch(reports[0], "c4nary");
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
  t.match(boot, { code: 0, stdout: /^committed/, stderr: /cloud\.untold/ });
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
