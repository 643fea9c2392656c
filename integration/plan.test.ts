import t from "tap";
import { canonicalJson, sha256 } from "#core/canonical-json.ts";
import type { Sources } from "#provisioner/render/sources.ts";
import { type SystemClient, systemClient } from "#provisioner/system/client.ts";
import { openDriver } from "#provisioner/system/driver.ts";
import { compareVersions, packageName } from "#provisioner/system/package-name.ts";
import type { ChangeReason, Verdict } from "#provisioner/system/system.ts";
import { type NixMachine, nixMachine, skipWithoutNix } from "./nix-machine.ts";

t.setTimeout(300_000);
const skip = skipWithoutNix();
const reason: ChangeReason = { by: "apply", why: "a test", instanceId: "i-1" };
const healthy: Verdict = { healthy: true, reasons: [], passes: 1, ms: 1 };

/** Sources whose one module holds these lines, and that say what they set. */
function sources(lines: string, values: Readonly<Record<string, string>> = {}): Sources {
  const module = `{ lib, pkgs, ... }:
let
  package = pname: version: pkgs.mkDerivation { inherit pname version; };
in
{
  boot.isContainer = true;
  networking.hostName = "edge";
  ${lines}
}
`;
  const files = [
    { path: "configuration.nix", content: module },
    {
      path: "firstlight/manifest.json",
      content: canonicalJson({
        v: 1,
        options: { "services.openssh": { document: "user-data", line: 7, column: 3 } },
      }),
    },
    { path: "firstlight/values.json", content: canonicalJson({ v: 1, options: values }) },
  ].map((file) => ({ ...file, mode: 0o644 }));
  const digest = sha256(canonicalJson(files));
  return { digest, files, credentials: [], nixpkgs: null };
}

function start(machine: NixMachine): SystemClient {
  const { storeFiles } = machine;
  return systemClient(openDriver(machine.io(), { driver: "nix", storeFiles }));
}

async function planned(c: SystemClient, what: Sources) {
  return c.plan(await c.build(what, reason), true);
}

const before = sources(
  `environment.systemPackages = [ (package "htop" "3.3.0") (package "nano" "8.0") (package "postgresql" "15.8") ];
  services.openssh.enable = true;
  users.users.alice = { isNormalUser = true; openssh.authorizedKeys.keys = [ "ssh-ed25519 AAAA alice" ]; };`,
  {
    "system.stateVersion": '"25.11"',
    "services.openssh.enable": "true",
    "users.users.alice.isNormalUser": "true",
  },
);
const after = sources(
  `environment.systemPackages = [ (package "htop" "3.4.1") (package "vim" "9.1") (package "postgresql" "16.4") ];
  services.openssh.enable = false;
  standIn.initInterfaceVersion = "2";`,
  { "system.stateVersion": '"26.05"', "services.openssh.enable": "false" },
);

t.test("a plan says packages, bytes, options, and what no rollback undoes", { skip }, async (t) => {
  const machine = await nixMachine(t);
  const c = start(machine);
  const first = await planned(c, before);
  t.match(first.from, { toplevel: null });
  t.match(first.warnings, [], "the first system takes nothing away");
  t.match(
    first.options?.map(({ change }) => change),
    ["added", "added", "added"],
  );
  t.match(first.difference, { bytes: { before: 0, removed: 0 }, paths: { removed: 0 } });
  await c.commit(await c.try(first), healthy);

  const plan = await planned(c, after);
  const packages = new Map(plan.difference?.packages.map((each) => [each.name, each]));
  t.match(packages.get("htop"), { change: "upgraded", before: ["3.3.0"], after: ["3.4.1"] });
  t.match(packages.get("nano"), { change: "removed", bytesAfter: 0 });
  t.match(packages.get("vim"), { change: "added", bytesBefore: 0 });
  t.match(packages.get("postgresql"), { change: "upgraded" });
  t.match(plan.options, [
    {
      option: "services.openssh.enable",
      before: "true",
      after: "false",
      setBy: { document: "user-data", line: 7 },
    },
    { option: "system.stateVersion", setBy: null },
    { option: "users.users.alice.isNormalUser", change: "removed" },
  ]);
  t.strictSame(
    plan.warnings.map(({ kind }) => kind),
    ["evaluation", "state-version", "database", "user", "login", "sshd", "reboot"],
  );
  t.match(plan.reboot, { needed: true, why: [/^its init interface is stand-in 2/] });
  t.strictSame(
    plan.space.map(({ place }) => place),
    ["store", "state"],
  );

  const { toplevel } = plan.closure;
  const list = await machine.run(["nix-store", "--query", "--requisites", toplevel]);
  const paths = list.stdout.trim().split("\n");
  const [one = ""] = paths;
  const sizes = await machine.run(["nix-store", "--query", "--size", one, ...paths.slice(1)]);
  const total = sizes.stdout
    .trim()
    .split("\n")
    .reduce((sum, line) => sum + Number(line), 0);
  t.equal(plan.difference?.bytes.after, total, "every byte of the closure, as Nix counts it");
  t.ok(total > 0 && (plan.difference?.bytes.added ?? 0) < total);
});

t.test("an approved plan is a contract", { skip }, async (t) => {
  const machine = await nixMachine(t);
  const c = start(machine);
  const unit = (name: string, script: string) =>
    `systemd.services.${name} = { wantedBy = [ "multi-user.target" ]; script = "${script}"; };`;
  await c.commit(await c.try(await planned(c, sources(unit("one", "true")))), healthy);
  const good = machine.currentSystem();
  const wanted = sources(`${unit("one", "true")} ${unit("two", "true")}`);
  const { digest } = await planned(start(machine), wanted);

  await c.commit(await c.try(await planned(c, sources(unit("one", "exit 0")))), healthy);
  const moved = machine.currentSystem();
  t.not(moved, good);
  const stale = await planned(c, wanted);
  await t.rejects(c.try(stale, { approved: digest }), {
    code: "system/plan-stale",
    message: /the running system is .*another unit to stop: one\.service/s,
  });
  t.equal(machine.currentSystem(), moved, "nothing was activated");
  const asking = ["check", "dry-activate"];
  const acted = machine.switches().filter(({ action }) => !asking.includes(action));
  t.notOk(acted.some(({ system }) => system === stale.closure.toplevel));

  const again = await planned(c, wanted);
  t.match(await c.try(await planned(c, wanted), { approved: again.digest }), {
    activation: "switched",
  });
});

t.test("a store that cannot be asked does not stop a change", { skip }, async (t) => {
  const machine = await nixMachine(t);
  const io = machine.io();
  const exec: typeof io.exec = (request) =>
    request.args.includes("--query")
      ? io.exec({ ...request, args: ["--query", "--requisites", "/nowhere"] })
      : io.exec(request);
  const { storeFiles } = machine;
  const c = systemClient(openDriver({ ...io, exec }, { driver: "nix", storeFiles }));
  const plan = await planned(c, before);
  t.match(plan, {
    difference: null,
    warnings: [
      { kind: "evaluation" },
      { kind: "closure", message: /^the packages could not be compared: nix-store/ },
    ],
  });
  t.match(await c.try(plan), { activation: "switched" });
});

t.test("names and versions are read as Nix reads them", { skip }, async (t) => {
  const machine = await nixMachine(t);
  const evaluate = async (expression: string): Promise<unknown> => {
    const argv = ["nix-instantiate", "--eval", "--json", "--strict", "-E", expression] as const;
    return JSON.parse((await machine.run([...argv])).stdout);
  };
  const list = (texts: readonly string[]) => `[ ${texts.map((text) => `"${text}"`).join(" ")} ]`;
  const names = ["a-1", "a-b-1.2", "a--1", "a-_x", "a", "python3.11-x-1", "x-unstable-2023-01-01"];
  const ours = names.map((name) => {
    const { name: pname, version } = packageName(name);
    return { name: pname, version };
  });
  t.strictSame(await evaluate(`map builtins.parseDrvName ${list(names)}`), ours);

  const versions = [
    ...["1", "1.0", "1.0a", "1.0pre1", "1.0pre12", "1.0.1", "1.10", "01", "1-2", "1.", "a", "pre"],
    ...["2024-01-31", "5.2p15", "9.9p1", "10.2p1", "6.12.1-rpi4", "", "1.0a.1", "1..2"],
  ];
  const compared = versions.flatMap((a) => versions.map((b) => compareVersions(a, b)));
  const nix = `let v = ${list(versions)}; in builtins.concatMap (a: map (builtins.compareVersions a) v) v`;
  t.strictSame(await evaluate(nix), compared);
});
