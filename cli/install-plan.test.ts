import { readFileSync } from "node:fs";
import t from "tap";
import { canonicalJson, prettyJson } from "#core/canonical-json.ts";
import { hostFiles } from "#core/host-files.ts";
import { readPlan } from "#provisioner/install/plan.ts";
import { sampleReport } from "#provisioner/install/sample-report.ts";
import { unfitOptions } from "#provisioner/nixos-options/rendered.ts";
import { compileHandMade } from "#provisioner/profiles/compile.ts";
import { planInstallation } from "./install-plan.ts";
import { machineOf, samplePlanText, sampleQuestion } from "./sample-install.ts";

const files = hostFiles(new URL("..", import.meta.url).pathname, () => {});
const { folders } = compileHandMade(files, "/hardware-profiles");
const laptop = folders.find(({ file }) => file.id === "framework/13-amd-7040");
if (laptop === undefined) throw new Error("no laptop");
const machine = machineOf(laptop);
const question = await sampleQuestion(t.testdir(), machine);
const bytes = (text: string) => ({ document: "user-data", bytes: Buffer.from(text) });

t.test("a laptop is planned as its profile says, every reason told", async (t) => {
  const golden = new URL("./golden/install/13-amd-7040.txt", import.meta.url);
  t.equal(await samplePlanText(question), readFileSync(golden, "utf8"));
  const plan = await planInstallation(question);
  t.same(unfitOptions(plan.configuration.files), [], "what is rendered is what NixOS has");
  t.same(await planInstallation(question), plan, "and the second time the same");
  const other = await planInstallation({
    ...question,
    seed: "6eed5eed-5eed-4eed-8eed-5eed5eed5eed",
  });
  t.not(other.digest, plan.digest);
});

t.test("a plan that was saved is read back, and one that somebody changed is not", async (t) => {
  const plan = await planInstallation(question);
  const text = prettyJson(plan);
  t.same(readPlan(text, "plan.json"), plan);
  const evil = text.replaceAll("nvme-WD_BLACK_SN850X_2000GB_S1", "nvme-SOMEBODY_ELSES");
  t.throws(() => readPlan(evil, "plan.json"), { code: "install/plan-invalid", message: /digest/ });
  // With a digest that fits, the steps must still be those of the layout.
  const { digest: _, ...body } = plan;
  const steps = plan.steps.map((step) =>
    step.id === "sync"
      ? { ...step, action: { kind: "run", argv: ["rm", "-rf", "/"], timeoutMs: 1 } }
      : step,
  );
  const changed = { ...body, steps };
  const { sha256 } = await import("#core/canonical-json.ts");
  const signed = JSON.stringify({ ...changed, digest: sha256(canonicalJson(changed)) });
  t.throws(() => readPlan(signed, "plan.json"), { code: "install/plan-invalid", message: /steps/ });
  for (const wrong of ["", "[]", "null", '{"v":1}', '{"v":2,"kind":"install-plan"}'])
    t.throws(() => readPlan(wrong, "plan.json"), { code: "install/plan-invalid" }, wrong);
});

t.test(
  "what a person asks for goes before the profile, and a seed into the configuration",
  async (t) => {
    const question = await sampleQuestion(t.testdir(), machine);
    const plan = await planInstallation({
      ...question,
      asked: { layout: "plain", fileSystem: "btrfs" },
      documents: {
        userData: bytes(
          "#cloud-config\nhostname: kiosk\nusers:\n  - name: ada\n    ssh_authorized_keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ4nGGmZ7mNqcFr9sVm8eBvO7R2YjCkzKPhoXR5Vn1a2]\n",
        ),
      },
    });
    t.match(plan.reasons, [
      { what: "layout", value: "plain", why: "it was asked for" },
      { what: "file system", value: "btrfs", why: "it was asked for" },
      { what: "swap", why: /in the clear/ },
    ]);
    const instance = plan.configuration.files.find(
      ({ path }) => path === "firstlight/instance.nix",
    );
    t.match(instance?.content, /hostName = .*"kiosk"/);
    t.notMatch(plan.warnings.join("\n"), /no seed/);
    const medium = await planInstallation({
      ...question,
      toplevel: "/nix/store/00000000000000000000000000000000-nixos",
    });
    t.match(
      medium.steps.map(({ id }) => id),
      /copy-system/,
    );
  },
);

t.test(
  "no plan: a machine without UEFI, a seed with a secret or an error, a disk that is not empty",
  async (t) => {
    const question = await sampleQuestion(t.testdir(), machine);
    const { facts, report } = machine;
    const bios = { ...facts, firmware: { ...facts.firmware, type: "bios" as const } };
    await t.rejects(planInstallation({ ...question, facts: bios }), { code: "install/no-uefi" });
    const secret = {
      userData: bytes("#cloud-config\nusers:\n  - name: ada\n    plain_text_passwd: hunter2\n"),
    };
    await t.rejects(planInstallation({ ...question, documents: secret }), {
      code: "install/seed-secrets",
      message: /^(?!.*hunter2)/s,
    });
    const wrong = { userData: bytes("#cloud-config\nusers: 7\n") };
    await t.rejects(planInstallation({ ...question, documents: wrong }), {
      code: "user-data/invalid",
    });
    const [disk] = report.lsblk ?? [];
    if (disk === undefined) return t.fail("no disk");
    const used = { ...report, lsblk: [{ ...disk, signatures: ["BitLocker", "vfat"] }] };
    await t.rejects(planInstallation({ ...question, report: used }), {
      code: "install/no-candidate",
      findings: [
        { document: "nvme-WD_BLACK_SN850X_2000GB_S1", code: "install/disk-windows" },
        { code: "install/disk-has-data" },
      ],
    });
    const named = ["nvme-WD_BLACK_SN850X_2000GB_S1"];
    const plan = await planInstallation({ ...question, report: used, named });
    t.same(plan.disks[0]?.holds, ["BitLocker", "vfat"]);
    const small = sampleReport([{ name: "nvme0n1", id: "nvme-Small", sizeBytes: 40 * 1024 ** 3 }]);
    await t.rejects(
      planInstallation({ ...question, report: small.report, named: ["nvme-Small"] }),
      {
        code: "install/disk-too-small",
        message: /53.0 GiB/,
      },
    );
  },
);
