import { existsSync, readFileSync } from "node:fs";
import t from "tap";
import { readFacts } from "#agent/facts/read-facts.ts";
import { fakeIo } from "#core/fake-io.ts";
import { hostIo } from "#core/host-io.ts";
import { compileProfiles } from "#provisioner/profiles/compile.ts";
import { matchProfile } from "#provisioner/profiles/match.ts";
import { appliedProfile } from "#provisioner/profiles/profile.ts";
import { decideBase } from "#provisioner/render/decide-base.ts";
import { fileOf, tryRender } from "#provisioner/render/try-render.ts";
import { recordedMachines } from "./recorded.ts";
import { writeMachine } from "./write-machine.ts";

const root = new URL("../..", import.meta.url).pathname;
const { compiled } = compileProfiles(hostIo({ root }).files, "/hardware-profiles");

/** Each machine by itself, and those with a card of NVIDIA where its driver is agreed to. */
const cases = [
  ...recordedMachines.map((machine) => ({ name: machine.name, machine, spec: {} })),
  ...recordedMachines
    .filter(({ pci }) => pci.some((card) => card.class === "030000" && card.id.startsWith("10de:")))
    .map((machine) => ({
      name: `${machine.name}-nvidia`,
      machine,
      spec: { unfree: ["nvidia-x11", "nvidia-settings"] },
    })),
];

for (const { name, machine, spec } of cases) {
  t.test(`the hardware is rendered as in golden/${name}.nix`, async (t) => {
    const directory = `${t.testdir({ [machine.name]: {} })}/${machine.name}`;
    writeMachine(directory, machine);
    const io = fakeIo(directory);
    const facts = readFacts(io);
    const match = matchProfile(facts, compiled);
    const base = decideBase({
      io,
      facts,
      profile: appliedProfile(match, compiled),
      mutableUsers: undefined,
      settings: { stateVersion: "25.11" },
      agentModule: [],
    });
    const result = tryRender(spec, { facts, match, profiles: compiled, base });
    t.same(
      result.findings.map(({ code }) => code),
      name === "framework-16-rtx-5070" ? ["render/nvidia-not-free"] : [],
    );
    const golden = new URL(`./golden/${name}.nix`, import.meta.url);
    t.equal(
      fileOf(result, "firstlight/hardware.nix"),
      existsSync(golden) ? readFileSync(golden, "utf8") : "no golden file",
    );
    const modules = facts.blockDevices?.flatMap((disk) => disk.modules) ?? [];
    const text = fileOf(result, "firstlight/hardware.nix");
    for (const module of modules)
      t.match(text, `"${module}"`, `${module} is in the initial RAM disk`);
    t.ok(base.root?.disks.length, "the disk of the root file system is known");
  });
}

t.test("a module that the pinned nixos-hardware has not is left out and told", async (t) => {
  const machine = recordedMachines.find(({ name }) => name === "framework-13-amd-7040");
  if (machine === undefined) throw new Error("expected the machine");
  const directory = t.testdir();
  writeMachine(directory, machine);
  const io = fakeIo(directory);
  const tree = "/nix/store/00000000000000000000000000000000-nixos-hardware";
  const pin = { storePath: tree, narHash: null, revision: "1".repeat(40) };
  io.files.write("/etc/firstlight/pins.json", JSON.stringify({ "nixos-hardware": pin }));
  const facts = readFacts(io);
  const match = matchProfile(facts, compiled);
  const rendered = () => {
    const base = decideBase({
      ...{ io, facts, profile: appliedProfile(match, compiled), mutableUsers: undefined },
      ...{ settings: { stateVersion: "25.11" }, agentModule: [] },
    });
    const result = tryRender({}, { facts, match, profiles: compiled, base });
    const codes = result.findings.map(({ code }) => code);
    return { codes, text: fileOf(result, "firstlight/hardware.nix") };
  };
  const used = `"${tree}/framework/13-inch/7040-amd"`;
  const unseen = rendered();
  t.same(unseen.codes, ["render/import-revision"], "a tree that is not here is taken at its word");
  t.ok(unseen.text.includes(used));
  io.files.write(`${tree}/framework/13-inch/common/default.nix`, "{ }\n");
  const absent = rendered();
  t.same(absent.codes, ["render/import-absent"]);
  t.notMatch(absent.text, tree);
  t.match(
    absent.text,
    "Without framework/13-inch/7040-amd of nixos-hardware, which the pinned tree has not.",
  );
  io.files.write(`${tree}/framework/13-inch/7040-amd/default.nix`, "{ }\n");
  t.ok(rendered().text.includes(used));
});
