import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { firstlight, healthy, machine } from "./try-commands.ts";

// Each command is a process of its own.
t.setTimeout(600_000);

t.test(
  "a machine in a directory: discover, facts, match, render, boot, status, query, history",
  async (t) => {
    const root = machine(t, `#cloud-config\ntimezone: UTC\n${healthy}`);
    const json = (...args: readonly string[]) =>
      JSON.parse(firstlight([...args, "--root", root, "--json"]).stdout) as unknown;
    t.match(json("discover"), { instance: { instanceId: "i-1", hostname: "pi.example.org" } });
    t.match(json("facts"), { deviceTree: { model: /Raspberry Pi 4/ } });
    t.match(json("profiles", "match"), { profile: "raspberry-pi/4" });
    t.match(json("profiles", "report"), {
      match: { profile: "raspberry-pi/4" },
      facts: { deviceTree: { model: /Raspberry Pi 4/ } },
    });
    t.match(firstlight(["status", "--root", root]), { code: 75, stdout: /not started/ });
    t.match(firstlight(["query", "--root", root]), { code: 1 });
    t.match(firstlight(["boot", "--root", root, "--driver", "dry"]), {
      code: 0,
      stdout: /committed: generation 1/,
      stderr: /would run: nix-instantiate/,
    });
    t.match(firstlight(["status", "--root", root, "--wait", "--timeout", "1s"]), {
      code: 0,
      stdout: /committed/,
    });
    t.equal(firstlight(["query", "instance_id", "--root", root]).stdout, "i-1\n");
    const aliased = firstlight(["query", "ds.meta_data.instance_id", "--root", root]);
    t.equal(aliased.stdout, "i-1\n", "keys with a hyphen have a second name");
    t.match(firstlight(["query", "instance-idd", "--root", root]), {
      code: 4,
      stderr: /did you mean v1\.instance-id/,
    });
    t.match(firstlight(["query", "nonesuch", "--root", root]), {
      code: 4,
      stderr: /known are commands, datasource, ds, v1, v1\._beta_keys, v1\.availability-zone, /,
    });
    t.match(json("history", "--driver", "dry"), {
      generations: [{ generation: 1, outcome: "committed", running: true }],
    });
    t.match(firstlight(["plan", "--root", root, "--driver", "dry"]), {
      code: 0,
      stdout: /nothing would change/,
    });
    t.match(firstlight(["boot", "--root", root, "--driver", "dry"]), {
      code: 0,
      stdout: /unchanged/,
    });
  },
);

t.test("facts and the match are drawn for a person, in the letters of the locale", (t) => {
  const root = machine(t, "");
  const drawn = (args: readonly string[], locale: string) =>
    firstlight([...args, "--root", root], "", { LC_ALL: locale, NO_COLOR: "1" });
  const facts = drawn(["facts"], "C");
  t.match(facts, { code: 0, stdout: /^ {2}\+- Raspberry Pi 4 Model B Rev 1\.4 -+\+\n/ });
  t.match(facts.stdout, /^(?:[\x20-\x7e]{1,79}\n)+$/);
  t.match(facts.stdout, "mmcblk1 <- mmc_block <- sdhci_iproc");
  t.match(drawn(["profiles", "match"], "C.UTF-8"), {
    code: 0,
    stdout: /^Raspberry Pi 4 Model B Rev 1\.4\n└─ raspberry-pi\/4\n/,
  });
  t.end();
});

t.test("a place that cannot be written to is named, and is no endless attempt", async (t) => {
  t.match(firstlight(["render", "--out", "/proc/firstlight"]), {
    code: 1,
    stderr: /^firstlight: \/proc\/firstlight\/configuration\.nix: ENOENT .*\[io\/write-failed\]/m,
  });
});

t.test("a machine that was dry stays so, and history reads well", async (t) => {
  const root = machine(t, `#cloud-config\n${healthy}`);
  const on = (...args: readonly string[]) => firstlight([...args, "--root", root]);
  t.match(on("boot", "--driver", "dry"), { code: 0 });
  t.match(on("history"), { code: 0, stdout: /^ +1 .*committed .*\[runs, boot default\]\n$/ });
  t.match(on("plan"), { code: 0, stdout: /nothing would change/ });
  const settings = path.join(root, "etc/firstlight/settings.json");
  mkdirSync(path.dirname(settings), { recursive: true });
  writeFileSync(settings, "{ no");
  t.match(on("history"), {
    code: 0,
    stdout: /^ +1 .*committed /,
    stderr: /settings\.invalid .*not JSON/,
  });
  t.match(on("history", "--pin", "1"), { code: 4 });
  writeFileSync(settings, "{}");
  t.match(on("boot", "--driver", "nix"), {
    code: 1,
    stderr: /driver dry before.*system\/other-driver\]\n {2}leave --driver out/,
  });
});

t.test("a boot that fails says what to do, and so does its status", async (t) => {
  const root = machine(t, `#cloud-config\nzzz: 1\n${healthy}`);
  const settings = path.join(root, "etc/firstlight/settings.json");
  mkdirSync(path.dirname(settings), { recursive: true });
  const boot = () => firstlight(["boot", "--root", root, "--driver", "dry"]);
  const status = () => firstlight(["status", "--wait", "--timeout", "1s", "--root", root]);
  writeFileSync(settings, '{ "stateVersoin": "25.11" }');
  const misspelt =
    /^failed: .*settings\.json:1:\d+ stateVersoin: no such key \[settings\/invalid\]\n.*did you mean `stateVersion`\?/;
  t.match(boot(), { code: 4, stdout: misspelt });
  t.match(status(), { code: 4, stdout: misspelt, stderr: /^1 finding; / });
  writeFileSync(path.join(root, "etc/os-release"), "ID=debian\n");
  writeFileSync(settings, "{}");
  const hint = /^failed: .*\[base\/no-release\]\n {2}set `stateVersion` in /;
  t.match(boot(), { code: 1, stdout: hint, stderr: /boot\.fault .*hint="set `stateVersion`/ });
  t.match(status(), { code: 1, stdout: hint });
  writeFileSync(path.join(root, "var/lib/cloud/seed/nocloud/meta-data"), "instance-id: [a]\n");
  t.match(boot(), { code: 4, stdout: /^failed: .*\[datasource\/malformed\]/ });
  t.match(JSON.parse(readFileSync(path.join(root, "run/cloud-init/result.json"), "utf8")), {
    v1: { datasource: "DataSourceNoCloud", errors: [/instance-id/] },
  });
});

t.test("how a change ended that could not tell is read from the journal", async (t) => {
  const root = machine(t, `#cloud-config\ntimezone: UTC\n${healthy}`);
  t.match(firstlight(["boot", "--root", root, "--driver", "dry"]), { code: 0 });
  const userData = path.join(root, "var/lib/cloud/seed/nocloud/user-data");
  writeFileSync(userData, `#cloud-config\ntimezone: Europe/Berlin\n${healthy}`);
  const copy = path.join(t.testdirName, "copy");
  cpSync(root, copy, { recursive: true, verbatimSymlinks: true });
  const counted = firstlight(["apply", "--root", copy], "", { FIRSTLIGHT_COUNT_EFFECTS: "1" });
  const [, effect = ""] = /^effect ([0-9]+) .*last-result\.json$/m.exec(counted.stderr) ?? [];
  const killed = firstlight(["apply", "--root", root], "", { FIRSTLIGHT_DIE_AT_EFFECT: effect });
  t.equal(killed.code, null, "killed");
  t.match(firstlight(["status", "--root", root]), {
    code: 0,
    stdout: /^committed: generation 2 runs\n$/,
    stderr: /by the journal/,
  });
  t.match(firstlight(["boot", "--root", root]), { code: 0, stdout: /^unchanged/ });
  t.match(firstlight(["status", "--root", root]), { code: 0, stdout: /^unchanged/ });
});

t.test("a report that cannot be sent changes nothing of how the boot ended", async (t) => {
  const root = machine(t, `#cloud-config\n${healthy}`);
  const settings = path.join(root, "etc/firstlight/settings.json");
  mkdirSync(path.dirname(settings), { recursive: true });
  const mqtt = { host: "127.0.0.1", port: 1, tls: true, caFile: "/none.pem" };
  writeFileSync(settings, JSON.stringify({ report: { mqtt } }));
  const boot = () => firstlight(["boot", "--report", "--root", root, "--driver", "dry"]);
  const untold = /report\.failed .*none\.pem/;
  t.match(boot(), { code: 2, stdout: /^committed/, stderr: untold });
  t.match(firstlight(["status", "--root", root]), { code: 0, stdout: /^committed/ });
  writeFileSync(
    path.join(root, "var/lib/cloud/seed/nocloud/user-data"),
    "#cloud-config\nhostname: [a]\n",
  );
  t.match(boot(), { code: 4, stdout: /^invalid/, stderr: untold });
});

t.test("what is wrong with the input is counted, and is not called degraded", async (t) => {
  const root = machine(t, "hostname: a\n");
  const said = /^invalid: 1 error in the input: user-data:1:1: .*\[user-data\/invalid\]\n/;
  t.match(firstlight(["boot", "--root", root, "--driver", "dry"]), { code: 4, stdout: said });
  t.match(firstlight(["status", "--root", root]), { code: 4, stdout: said });
});

t.test("dry is refused where the machine is the real one", async (t) => {
  t.match(firstlight(["history", "--driver", "dry"]), {
    code: 1,
    stderr: /system\/dry-needs-root/,
  });
  t.match(firstlight(["history", "--driver", "wet"]), { code: 4 });
});

t.test("a root that is no directory is refused and not made", async (t) => {
  const missing = path.join(t.testdir({ file: "" }), "missing");
  for (const root of [missing, path.join(t.testdirName, "file"), ""]) {
    t.match(firstlight(["boot", "--root", root, "--driver", "dry"]), {
      code: 4,
      stderr: /--root: expected a directory/,
    });
  }
  t.equal(existsSync(missing), false);
});

t.test("the status of a machine where firstlight is switched off is not waited for", async (t) => {
  const root = t.testdir({ etc: { firstlight: { disabled: "" } } });
  t.match(firstlight(["status", "--wait", "--root", root]), {
    code: 0,
    stdout: /switched off by \/etc\/firstlight\/disabled/,
  });
});

t.test(
  "a network of the kernel's command line: applied, held when it changes, and refused",
  (t) => {
    const root = machine(t, `#cloud-config\ntimezone: UTC\n${healthy}`);
    writeFileSync(
      path.join(root, "var/lib/cloud/seed/nocloud/network-config"),
      "version: 2\nethernets: { seed0: { dhcp4: true } }\n",
    );
    const boot = (word: string) => {
      writeFileSync(path.join(root, "proc/cmdline"), `quiet ${word}\n`);
      return firstlight(["boot", "--root", root, "--driver", "dry"]);
    };
    const word = (name: string) => {
      const text = `version: 2\nethernets: { ${name}: { dhcp4: true } }\n`;
      return `network-config=${Buffer.from(text).toString("base64")}`;
    };
    t.match(boot(word("kernel0")), {
      ...{ code: 0, stdout: /^committed/ },
      stderr: /kernel command line: network-config note: .*NoCloud.*\[network\/other-place\]/,
    });
    const network = path.join(root, "etc/nixos/firstlight/network.nix");
    const committed = readFileSync(network, "utf8");
    t.match(committed, "kernel0");
    t.notMatch(committed, "seed0");
    t.match(boot(word("kernel0")), { code: 0, stdout: /^unchanged/ });
    mkdirSync(path.join(root, "etc/firstlight"), { recursive: true });
    const settings = path.join(root, "etc/firstlight/settings.json");
    writeFileSync(settings, JSON.stringify({ policy: { changes: "hold" } }));
    t.match(boot(word("other0")), { code: 77, stdout: /^held/ });
    writeFileSync(settings, "{}");
    t.match(boot("network-config=eth0:dhcp"), {
      ...{ code: 4, stdout: /^invalid/ },
      stderr:
        /kernel command line: network-config error: base64 .*\[network\/unreadable\]\n {2}give a/,
    });
    t.equal(readFileSync(network, "utf8"), committed, "and nothing is changed");
    t.end();
  },
);
