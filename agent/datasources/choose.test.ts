import path from "node:path";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { silentLog } from "#core/log.ts";
import { chooseDatasources } from "./choose.ts";
import { discover, findSwitch } from "./discover.ts";
import { addSeedDirectory } from "./fake-machine.ts";
import { writeTree } from "./images/make-images.ts";
import { datasources as table } from "./table.ts";

const line = (text: string) => ({ "proc/cmdline": `quiet ${text} ro\n` });
const detector = (text: string) => ({ "etc/cloud/ds-identify.cfg": text });
const list = (text: string, name = "90_list") => ({ [`etc/cloud/cloud.cfg.d/${name}.cfg`]: text });

function machine(t: { testdir(): string }, files: Readonly<Record<string, string>>) {
  return fakeIo(writeTree(path.join(t.testdir(), "root"), files));
}

t.test("cloud-init's own settings choose among the datasources", async (t) => {
  const cases: readonly (readonly [Record<string, string>, string])[] = [
    [line("ds=ec2"), "Ec2!"],
    [line("ds=EC2;x=y"), "Ec2!"],
    [line("ci.ds=GCE"), "GCE!"],
    [line("ci.datasource=Hetzner"), "Hetzner!"],
    [line("ds=ec2 ci.ds=GCE"), "GCE!"],
    [line("ds=nocloud-net;s=http://192.0.2.1/"), "NoCloud!"],
    [line("ds=AltCloud"), "kernel command line: ds=AltCloud!"],
    [line("ds=none"), ""],
    [detector("# a\ndatasource: 'Azure' # b\n"), "Azure!"],
    [{ ...detector("datasource: Azure\n"), ...line("ds=ec2") }, "Ec2!"],
    [{ ...detector("datasource: Azure\npolicy: search,found=all\n") }, "Azure!"],
    [{ ...detector("datasource: Azure\n"), ...list("datasource_list: [GCE]\n") }, "Azure!"],
    [list("datasource_list: [ GCE, None ]\n"), "GCE!"],
    [list("datasource_list:\n- Oracle\n- AltCloud\n- GCE\n"), "Oracle GCE"],
    [{ "etc/cloud/cloud.cfg": "datasource_list: [Azure, GCE]\n" }, "Azure GCE"],
    [
      { ...list("datasource_list: [GCE]\n", "10"), ...list("datasource_list: [Azure]\n") },
      "Azure!",
    ],
    [
      { ...list("datasource_list: [GCE]\n"), ...line("cc:{datasource_list: [Azure]} end_cc") },
      "Azure!",
    ],
  ];
  for (const [files, expected] of cases) {
    const chosen = chooseDatasources(machine(t, files).files, table, undefined);
    const names = chosen.map(({ datasource, forcedBy }) => {
      const isKnown = typeof datasource !== "string";
      return `${isKnown ? datasource.name : datasource}${forcedBy === undefined && isKnown ? "" : "!"}`;
    });
    const wanted = ["credentials", ...expected.split(/ (?=[A-Z])/), "usb"];
    t.strictSame(
      names,
      wanted.filter((each) => each !== ""),
      JSON.stringify(files),
    );
  }
  const nothing = [
    {},
    line("ds= xds=ec2"),
    detector("policy: enabled\ndatasource: Azure\n"),
    { ...detector("datasource: Azure\n"), ...line("ci.di.policy=report") },
    list("datasource_list: [\n"),
    list("# datasource_list: [GCE]\n"),
    list("datasource_list: []\n"),
  ];
  for (const files of nothing) {
    const chosen = chooseDatasources(machine(t, files).files, table, undefined);
    t.strictSame(
      chosen,
      table.map((datasource) => ({ datasource })),
      JSON.stringify(files),
    );
  }
});

t.test("beside the settings of the owner only the kernel has a word, and adds none", async (t) => {
  const among = (files: Readonly<Record<string, string>>) =>
    chooseDatasources(machine(t, files).files, table, ["GCE", "Ec2", "other"]).map(
      ({ datasource }) => (typeof datasource === "string" ? datasource : datasource.name),
    );
  t.strictSame(among(list("datasource_list: [Azure]\n")), ["GCE", "Ec2", "other"]);
  t.strictSame(among(line("ds=ec2")), ["Ec2"]);
  t.strictSame(among(line("ds=azure")), []);
});

t.test(
  "a cloud that the owner names is taken without evidence, others are still looked for",
  async (t) => {
    const io = machine(t, line("ds=hetzner;token=s3cret"));
    addSeedDirectory(path.join(t.testdirName, "root"), { "meta-data": "", "user-data": "" });
    const crawl = async () => ({
      service: { url: "http://192.0.2.1", from: null },
      answers: new Map([["/hetzner/v1/metadata", Buffer.from("instance-id: 7\n")]]),
      attempts: [],
    });
    const options = { datasources: undefined, log: silentLog };
    const tools = { crawl, budgetMs: 1_000, defaultUser: "nixos" };
    const found = await discover(io, { ...options, tools });
    t.match(found, {
      kind: "found",
      content: {
        instance: {
          instanceId: "7",
          datasource: { evidence: ["kernel command line: ds=hetzner", /answered/] },
        },
      },
    });
    t.notMatch(JSON.stringify(found), "s3cret");
    const drive = machine(t, line("ds=configdrive"));
    await t.rejects(discover(drive, options), { code: "datasource/none", message: /ConfigDrive/ });
    const unknown = machine(t, line("ds=altcloud"));
    await t.rejects(discover(unknown, options), { message: /ds=altcloud \(no such datasource\)/ });
  },
);

t.test("a policy may say that nothing is to be done", async (t) => {
  const by = (files: Readonly<Record<string, string>>) => findSwitch(machine(t, files).files);
  t.equal(by(line("ci.di.policy=disabled")), "kernel command line: ci.di.policy");
  t.equal(by(detector("policy: disabled\n")), "/etc/cloud/ds-identify.cfg: policy");
  t.equal(by({ ...detector("policy: disabled\n"), ...line("ci.di.policy=search") }), undefined);
  t.equal(by(detector("policy: search,found=first,notfound=disabled\n")), undefined);
});
