import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { commands } from "./commands.ts";
import { entry, firstlight } from "./try-commands.ts";

// Each command is a process of its own.
t.setTimeout(600_000);

t.test("help names every command, and each command has its own", async (t) => {
  const { code, stdout } = firstlight(["--help"]);
  t.equal(code, 0);
  for (const [name, { load, hidden }] of Object.entries(commands)) {
    const { command } = await load();
    t.match(command.usage, new RegExp(`^${name}`));
    t.equal(stdout.includes(command.summary), hidden !== true, name);
  }
  t.match(firstlight(["boot", "--help"]).stdout, /Exit code/);
});

t.test("what is not understood is said, with what was meant, and exits 4", async (t) => {
  t.match(firstlight(["tranlate"]), { code: 4, stderr: /did you mean `translate`/ });
  t.match(firstlight(["boot", "--wrong"]), { code: 4, stderr: /--wrong/ });
  t.match(firstlight(["translate"]), { code: 4, stderr: /expected firstlight translate/ });
  t.match(firstlight(["translate", "/none"]), { code: 1, stderr: /cli\/no-file/ });
  t.match(firstlight(["explain", "spec/invald", "--json"]), {
    code: 4,
    stdout: /did you mean spec\/invalid/,
  });
  t.match(firstlight([]), { code: 4 });
  t.match(firstlight(["--driver", "dry", "boot"]), {
    code: 4,
    stderr: /got the option `--driver`[\s\S]*firstlight COMMAND --driver/,
  });
  t.match(firstlight(["--json", "--root", t.testdir(), "history"]), {
    code: 0,
    stdout: /"generations": \[\]/,
  });
  t.match(firstlight(["match"]), { code: 4, stderr: /did you mean `profiles match`/ });
  t.match(firstlight(["facts", "--witness", "--root", t.testdir()]), {
    code: 4,
    stderr: /--witness looks at this machine/,
  });
});

t.test(
  "an option that is none, and one without its value, are told in words of ours",
  async (t) => {
    const told = (...args: string[]) => firstlight(args);
    t.match(told("translate", "x", "--formt", "nix"), {
      code: 4,
      stderr: /--formt: no such option[\s\S]*did you mean `--format`\? firstlight translate/,
    });
    t.match(told("translate", "x", "--format"), {
      code: 4,
      stderr: /--format: a value is missing/,
    });
    t.match(told("translate", "x", "--format", "--json"), {
      code: 4,
      stdout: /"message": "--format: a value is missing/,
    });
    t.match(told("translate", "x", "--json=1"), { code: 4, stderr: /--json: takes no value/ });
    t.match(told("translate", "x", "-x"), { code: 4, stderr: /-x: no such option/ });
  },
);

t.test("a reader that goes away does not end the program", async (t) => {
  const { status, stderr } = spawnSync(
    "sh",
    ["-c", '"$@" | head -c 1 >&2; exit', "sh", process.execPath, entry, "profiles", "list"],
    { encoding: "utf8", timeout: 60_000 },
  );
  t.equal(status, 0);
  t.notMatch(stderr, /EPIPE/);
});

/** Starts the program and waits until its stderr matches. */
async function started(args: readonly string[], pattern: RegExp, env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [entry, ...args], { env: { ...process.env, ...env } });
  let talk = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    talk += text;
  });
  const ended = once(child, "close") as Promise<[number | null]>;
  while (!pattern.test(talk)) {
    if ((await Promise.race([once(child.stderr, "data"), ended]))[0] === child.exitCode) break;
  }
  return { child, ended, talk: () => talk };
}

t.test("an interrupted command says so, and exits 75", async (t) => {
  const root = t.testdir();
  const waits = await started(["status", "--wait", "--root", root], /waiting/);
  waits.child.kill("SIGINT");
  t.equal((await waits.ended)[0], 75, waits.talk());
  t.match(waits.talk(), /ended by SIGINT \[cli\/interrupted\]/);
});

t.test("the agent is ready while it waits for a broker, and ends when it is told to", async (t) => {
  const root = t.testdir({
    root: {},
    bin: {
      "systemd-notify":
        '#!/bin/sh\necho "$@" >&2; echo "$@" >"$NOTIFY_SOCKET.new"; mv "$NOTIFY_SOCKET.new" "$NOTIFY_SOCKET"\n',
    },
  });
  chmodSync(path.join(root, "bin/systemd-notify"), 0o755);
  const said = path.join(root, "said");
  const env = { NOTIFY_SOCKET: said, PATH: `${path.join(root, "bin")}:${process.env["PATH"]}` };
  const args = ["agent", "--root", path.join(root, "root")];
  const agent = await started(args, /agent\.waiting/, env);
  while (!existsSync(said)) await new Promise((resolve) => setTimeout(resolve, 20));
  t.match(readFileSync(said, "utf8"), /READY=1/);
  agent.child.kill("SIGTERM");
  t.equal((await agent.ended)[0], 0, agent.talk());
});
