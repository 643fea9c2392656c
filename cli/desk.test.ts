import { existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { codes } from "#core/codes.ts";
import { skipWithoutOptions as skip } from "#provisioner/nixos-options/rendered.ts";
import { firstlight, machine } from "./try-commands.ts";

// Each command is a process of its own.
t.setTimeout(600_000);

t.test("render takes the machine from a root as from a file of facts", async (t) => {
  const root = machine(t, "#cloud-config\n");
  const facts = path.join(root, "facts.json");
  writeFileSync(facts, firstlight(["facts", "--root", root, "--json"]).stdout);
  const render = (...args: readonly string[]) =>
    firstlight(["render", "--json", "--out", path.join(root, "out"), ...args]);
  const digestOf = ({ stdout }: { readonly stdout: string }) =>
    (JSON.parse(stdout) as { readonly digest: string }).digest;
  const ofRoot = digestOf(render("--root", root));
  t.equal(digestOf(render("--facts", facts)), ofRoot);
  t.not(digestOf(render()), ofRoot, "a generic machine is another");
  t.match(render("--facts", facts, "--root", root), { code: 4 });
});

t.test("explain tells any code", async (t) => {
  const [code = ""] = Object.keys(codes);
  t.match(firstlight(["explain", code]), { code: 0, stdout: /What to do: / });
});

t.test("translate: spec, Nix, and JSON with coverage; errors exit 4", async (t) => {
  const good = "#cloud-config\nhostname: a\nlandscape: { client: { url: x } }\n";
  t.match(JSON.parse(firstlight(["translate", "-"], good).stdout), { hostname: "a" });
  t.match(
    firstlight(["translate", "-", "--format", "nix"], good).stdout,
    /networking.hostName = "a";/,
  );
  const { code, stdout } = firstlight(["translate", "-", "--format", "json"], good);
  t.equal(code, 0);
  t.match(JSON.parse(stdout), {
    v: 1,
    spec: { hostname: "a" },
    coverage: { translated: 1, agent: 0, unsupported: 1 },
    findings: [{ path: "landscape.client", line: 3, column: 14 }],
  });
  t.match(firstlight(["translate", "-"], "#cloud-config\nhostname: [a]\n"), {
    code: 4,
    stderr: /-:2:11 error hostname/,
  });
});

t.test("translate to Nix names what is not in it, and where it is shown", async (t) => {
  const more = `firstlight:
  templates: [{ name: docker-host }]
  health: { passes: 2 }
`;
  const nix = (text: string) => firstlight(["translate", "-", "--format", "nix"], text);
  const { code, stdout, stderr } = nix(`#cloud-config\nhostname: a\n${more}`);
  t.equal(code, 0);
  t.match(stdout, /networking.hostName = "a";/);
  t.match(stderr, "-: not shown here: templates; `firstlight render --user-data FILE --out DIR`");
  t.match(stderr, "-: not shown here: health; firstlight itself goes by them, `--format spec`");
  t.notMatch(nix("#cloud-config\nhostname: a\n").stderr, /not shown/);
});

t.test("no command of these tests renders what NixOS has not", { skip }, async (t) => {
  const options = "firstlight: { options: { services.opnessh.enable: true } }\n";
  const document = `#cloud-config\n${options}`;
  const none = /services\.opnessh\.enable: expected an option of NixOS/;
  t.throws(() => firstlight(["translate", "-", "--format", "nix"], document), none);
  const out = path.join(t.testdir(), "out");
  t.throws(() => firstlight(["render", "--user-data", "-", "--out", out], document), none);
});

t.test("validate says everything that is wrong, and exits 4 only for errors", async (t) => {
  const file = path.join(t.testdir(), "spec.yaml");
  writeFileSync(file, "version: 1\nhostnam: a\nusers: { alice: { shell: tcsh } }\n");
  const { code, stdout } = firstlight(["validate", file, "--kind", "spec"]);
  t.equal(code, 4);
  t.match(stdout, /spec\.yaml:2:\d+ error hostnam: no such key[\s\S]*did you mean `hostname`/);
  t.match(stdout, /spec\.yaml:3:\d+ error users\.alice\.shell/);
  t.match(firstlight(["validate", "-"], "#cloud-config\npackages: [htop]\n"), { code: 0 });
});

t.test("validate finds what only shows in a rendering, and so does translate", async (t) => {
  const text = `#cloud-config
timezone: Mars/Phobos
write_files: [{ path: /etc/hosts, content: x }]
firstlight:
  templates:
    - { name: docker-hots }
    - { name: docker-host, parameters: { usres: [a] } }
`;
  const said =
    /-:2:11 warning timezone: .*\n[\s\S]*-:3:\d+ warning files\.0: [\s\S]*-:6:\d+ error templates\.0\.name: [\s\S]*did you mean `docker-host`[\s\S]*-:7:\d+ error templates\.1\.parameters\.usres: /;
  t.match(firstlight(["validate", "-"], text), { code: 4, stdout: said });
  t.match(firstlight(["translate", "-"], text), { code: 4, stderr: said });
});

t.test(
  "what the node reads by address is a note away from it, unless it never could",
  async (t) => {
    const file = (uri: string) =>
      `#cloud-config\nwrite_files: [{ path: /etc/x, source: { uri: "${uri}" } }]\n`;
    const note = /-:2:\d+ note write_files\.0\.source\.uri: .* read on the node only/;
    const good = file("https://example.org/x?CANARY");
    t.match(firstlight(["validate", "-"], good), { code: 0, stdout: note });
    t.match(firstlight(["translate", "-"], good), { code: 0, stderr: note });
    const out = path.join(t.testdir(), "out");
    t.match(firstlight(["render", "--user-data", "-", "--out", out], good), {
      code: 0,
      stderr: note,
    });
    for (const uri of ["ftp://example.org/x", "/etc/x", "https://"]) {
      const { code, stdout } = firstlight(["validate", "-"], file(uri));
      t.equal(code, 4, uri);
      t.match(stdout, /-:2:\d+ error write_files\.0\.source\.uri: [\s\S]*http:, https: or data:/);
    }
    t.match(firstlight(["validate", "-"], "#cloud-config\nssh_import_id: [gh:octocat]\n"), {
      code: 0,
      stdout: /-:2:17 note ssh_import_id\.0: .* read on the node only/,
    });
  },
);

t.test(
  "validate refuses a kind that the first line denies, and names kinds where none is said",
  async (t) => {
    const validate = (text: string, ...more: string[]) =>
      firstlight(["validate", "-", ...more], text);
    for (const kind of ["spec", "network", "profile"])
      t.match(validate("#cloud-config\nhostname: a\n", "--kind", kind), {
        code: 4,
        stdout:
          /^-:1:1 error: expected .* kind \S+, got .* #cloud-config \[.*\]\n {2}leave --kind out.*\n$/,
      });
    t.match(validate("#firstlight\nhostname: a\n", "--kind", "cloud-config"), { code: 4 });
    t.match(validate("#firstlight\nhostname: a\n", "--kind", "spec"), { code: 0 });
    const network = "network:\n  version: 2\n  ethernets: {eth0: {dhcp4: true}}\n";
    t.match(validate(network), { code: 4, stdout: /--kind network/ });
    t.match(validate(network, "--kind", "network"), { code: 0 });
  },
);

t.test("validate takes the profile that is given", async (t) => {
  const shipped = path.join(import.meta.dirname, "../hardware-profiles/framework/13-amd-7040");
  const good = path.join(shipped, "profile.yaml");
  const bad = path.join(t.testdir(), "draft.yaml");
  writeFileSync(bad, `${readFileSync(good, "utf8")}colour: red\n`);
  const validate = (file: string) => firstlight(["validate", "--kind", "profile", file]);
  t.match(validate(good), { code: 0, stdout: "" });
  t.match(validate(bad), { code: 4, stdout: /draft\.yaml:\d+:1 error colour: no such key/ });
});

t.test("render writes the files of a node on any machine, the same bytes each time", async (t) => {
  const directory = t.testdir({
    "user-data":
      "#cloud-config\nhostname: a\nusers: [{ name: x, hashed_passwd: '$6$a$bcd', lock_passwd: false }]\n",
    "meta-data": "instance-id: i-9\n",
  });
  const render = (out: string) =>
    firstlight([
      "render",
      "--user-data",
      path.join(directory, "user-data"),
      "--meta-data",
      path.join(directory, "meta-data"),
      "--out",
      path.join(directory, out),
    ]);
  const [first, second] = [render("one"), render("two")];
  t.equal(first.code, 0, first.stderr);
  const digest = /digest [0-9a-f]{64}$/m;
  t.equal(digest.exec(first.stdout)?.[0], digest.exec(second.stdout)?.[0]);
  t.match(first.stdout, digest);
  const text = readFileSync(path.join(directory, "one/firstlight/instance.nix"), "utf8");
  t.equal(readFileSync(path.join(directory, "two/firstlight/instance.nix"), "utf8"), text);
  t.match(text, /hashedPasswordFile/);
  t.notMatch(text, "bcd");
});

t.test("meta-data that is none is said once, and is invalid input", async (t) => {
  const directory = t.testdir({ "meta.yaml": "a: 1\nb: [\n" });
  const file = path.join(directory, "meta.yaml");
  const { code, stderr } = firstlight([
    "render",
    "--meta-data",
    file,
    "--out",
    path.join(directory, "o"),
  ]);
  t.equal(code, 4);
  t.match(stderr, /meta\.yaml:3:1 error: .*\[yaml\/invalid\]/);
  t.match(stderr, /meta\.yaml: cannot be read as meta-data \[cli\/bad-input\]/);
  t.notMatch(stderr, /datasource/);
});

t.test("a rendering takes the place of an earlier one, and of nothing else", async (t) => {
  const directory = t.testdir({ network: "version: 2\nethernets: { lan: { dhcp4: true } }\n" });
  const target = path.join(directory, "out");
  const has = (file: string) => existsSync(path.join(target, file));
  const render = (...args: readonly string[]) => firstlight(["render", ...args, "--out", target]);
  t.match(render("--network-config", path.join(directory, "network")), { code: 0 });
  t.ok(has("firstlight/network.nix"));
  writeFileSync(path.join(target, "firstlight/mine.nix"), "{ }\n");
  t.match(render(), { code: 0 });
  t.notOk(has("firstlight/network.nix"), "what is no longer rendered is gone");
  t.ok(has("firstlight/mine.nix"), "what is somebody else's is left");
  const file = path.join(directory, "network");
  t.match(firstlight(["render", "--out", file]), {
    code: 4,
    stderr: /--out: expected a directory, .*network is a file/,
  });
  writeFileSync(path.join(target, "configuration.nix"), "{ mine = true; }\n");
  t.match(render(), {
    code: 4,
    stderr: /configuration\.nix is not as an earlier rendering left it/,
  });
  t.equal(readFileSync(path.join(target, "configuration.nix"), "utf8"), "{ mine = true; }\n");
  const manifest = path.join(target, "firstlight/manifest.json");
  const digest = "0".repeat(64);
  writeFileSync(manifest, JSON.stringify({ v: 1, files: { "../network": digest } }));
  render();
  t.ok(existsSync(path.join(directory, "network")), "nothing outside is touched");
});

t.test("batch reads one identity a line", async (t) => {
  const line = JSON.stringify([
    "id-1",
    "Framework",
    "Laptop 13 (AMD Ryzen 7040Series)",
    "Laptop",
    "A7",
    "FRANMDCP07",
    "Framework",
    "FRANMDCP07",
    "A7",
    "10",
  ]);
  const { code, stdout } = firstlight(["profiles", "match", "--batch", "-"], `${line}\n\n`);
  t.equal(code, 0);
  t.match(JSON.parse(stdout), { id: "id-1", profile: "framework/13-amd-7040" });
});

t.test("a bad line of a batch is named, and the others are answered", async (t) => {
  const line = JSON.stringify(["a", ...Array<string>(9).fill("x")]);
  const { code, stdout, stderr } = firstlight(
    ["profiles", "match", "--batch", "-"],
    `${line}\n{\n["short"]\n${line}\n`,
  );
  t.equal(code, 4);
  t.equal(stdout.split("\n").length, 3, "two answers");
  t.match(stderr, /^-:2: expected a JSON array .*\n-:3: .*list of 1/m);
});

t.test("the shipped profiles have no fault", async (t) => {
  t.match(
    firstlight(["profiles", "lint", path.join(import.meta.dirname, "../hardware-profiles")]),
    { code: 0 },
  );
});

t.test("input that is none is named: absent, a directory, too large, binary, empty", async (t) => {
  const directory = t.testdir({ binary: Buffer.from([0xff, 0, 0xfe]), empty: "" });
  const validate = (file: string) => firstlight(["validate", file, "--kind", "cloud-config"]);
  t.match(validate(path.join(directory, "none")), { code: 1, stderr: /none: does not exist/ });
  t.match(validate(directory), { code: 1, stderr: /is a directory, a file was expected/ });
  t.match(validate("/dev/zero"), { code: 4, stderr: /larger than the 32 MiB.*cli\/bad-input/ });
  t.match(validate(path.join(directory, "binary")), { code: 4, stdout: /binary/ });
  t.match(validate(path.join(directory, "empty")), { code: 0 });
});

t.test("links that lead in a circle are named, and are no defect", async (t) => {
  const loop = path.join(t.testdir({ settings: { etc: { firstlight: {} } } }), "loop");
  symlinkSync("loop", loop);
  const root = path.join(t.testdirName, "settings");
  symlinkSync("settings.json", path.join(root, "etc/firstlight/settings.json"));
  const leadsBack =
    /loop"?:? is a symbolic link that leads back to itself \[cli\/(bad-input|usage)\]/;
  for (const args of [
    ["render", "--user-data", loop, "--out", path.join(root, "out")],
    ["validate", loop],
    ["discover", "--root", loop],
    ["render", "--out", loop],
  ])
    t.match(firstlight(args), { code: 4, stderr: leadsBack }, args.join(" "));
  t.match(firstlight(["discover", "--root", root]), {
    code: 1,
    stderr:
      /settings\.json: its symbolic links lead in a circle .*\n {2}let them lead to what is meant/,
  });
});

t.test("several files are translated each by itself", async (t) => {
  const directory = t.testdir({
    a: "#cloud-config\nhostname: a\n",
    b: "#cloud-config\nhostname: [b]\n",
  });
  const files = ["a", "b"].map((name) => path.join(directory, name));
  const { code, stdout } = firstlight(["translate", ...files, "--format", "json"]);
  t.equal(code, 4);
  t.match(JSON.parse(stdout), {
    documents: [
      { document: files[0], spec: { hostname: "a" } },
      { document: files[1], findings: [{ level: "error" }] },
    ],
  });
});

t.test("a value that is null is a value", async (t) => {
  const data = { v1: { instance_id: "i-1", local_hostname: null } };
  const root = t.testdir({
    run: { firstlight: { "instance-data.json": JSON.stringify(data) } },
  });
  for (const key of ["v1.local_hostname", "local_hostname"])
    t.match(firstlight(["query", key, "--root", root]), { code: 0, stdout: "null\n" });
});
