import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { fakeService } from "#agent/datasources/metadata/fake-service.ts";
import { firstlight, firstlightBeside, healthy, machine } from "./try-commands.ts";

/** A machine of EC2 whose metadata service is at another address. */
function ec2Machine(t: { testdir(): string }, addresses: readonly string[]): string {
  const root = machine(t, "");
  rmSync(path.join(root, "var/lib/cloud"), { recursive: true });
  const write = (file: string, text: string) => {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  };
  write("sys/class/dmi/id/product_uuid", "EC2A0E4F-1111-2222-3333-444444444444\n");
  const metadata = { timeout: "5s", addresses: { Ec2: addresses } };
  write("etc/firstlight/settings.json", JSON.stringify({ metadata }));
  return root;
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

  t.match(firstlight(["bootstrap", "--root", root]), {
    code: 0,
    stderr: /Ec2 is read over the network, which is not up yet/,
  });
  const boot = await firstlightBeside(["boot", "--root", root, "--driver", "dry"]);
  t.match(boot, { code: 0, stdout: /^committed/ });
  t.match(firstlight(["query", "cloud_name", "--root", root]), { code: 0, stdout: "ec2\n" });
});

t.test("a metadata service that does not answer is another time's", async (t) => {
  const { url } = await fakeService(t, {}, { guard: () => ({ status: 503 }) });
  const root = ec2Machine(t, [url]);
  const boot = await firstlightBeside(["boot", "--root", root, "--driver", "dry"]);
  t.match(boot, { code: 75, stdout: /^failed: no metadata within 5000 ms from .*1 way was tried/ });
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
