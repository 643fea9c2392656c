import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { linesOf, secretText, translateCloud } from "../sample-translation.ts";
import { checkCases } from "./check-cases.ts";

checkCases(t, [
  {
    name: "a section of another kind",
    yaml: "power_state: reboot\n",
    spec: {},
    says: ["error user-data/wrong-type 2:14 power_state"],
  },
  {
    name: "no mode",
    yaml: "power_state: {delay: now}\n",
    spec: {},
    says: ["error user-data/wrong-type 2:14 power_state"],
  },
  {
    name: "values of other kinds",
    yaml: "power_state: {mode: sleep, delay: soon, message: [a], timeout: long, condition: 7, other: 1}\n",
    spec: {},
    says: [
      "error user-data/wrong-type 2:21 power_state.mode",
      "error user-data/wrong-type 2:35 power_state.delay",
      "error user-data/wrong-type 2:50 power_state.message",
      "error user-data/wrong-type 2:64 power_state.timeout",
      "error user-data/wrong-type 2:81 power_state.condition",
      "warning cloud-config/unsupported-key 2:84 power_state.other",
    ],
  },
  {
    name: "delays that nobody means",
    yaml: "power_state: {mode: halt, delay: -5, timeout: -1, condition: []}\n",
    spec: {},
    says: [
      "error user-data/wrong-type 2:34 power_state.delay",
      "error user-data/wrong-type 2:47 power_state.timeout",
      "error user-data/wrong-type 2:62 power_state.condition",
    ],
  },
  {
    name: "a condition that is false",
    yaml: "power_state: {mode: halt, condition: false}\n",
    spec: {},
  },
]);

t.test("it is a hook after the commit", async (t) => {
  const { spec, coverage } = translateCloud("power_state: {mode: poweroff}\n");
  t.match(spec.hooks, [{ name: "power-state", when: "post-update" }]);
  t.equal(spec.commands, undefined);
  t.strictSame(coverage, { translated: 0, agent: 1, unsupported: 0 });
});

t.test("a condition is looked at as every command", async (t) => {
  const translation = translateCloud("power_state: {mode: halt, condition: /usr/bin/test -e /a}\n");
  t.strictSame(linesOf(translation), [
    "warning cloud-config/program-path 2:38 power_state.condition",
  ]);
});

/** What is called in the end, and how long it was waited for. */
function calls(t: Test, yaml: string, busyTimes = 0, busy = "boot"): readonly string[] {
  const dir = t.testdir({ log: "", run: {}, busy: ".".repeat(busyTimes) });
  const script = (secretText(translateCloud(yaml), "power-state") ?? "")
    .replaceAll("/var/lib/firstlight", dir)
    .replaceAll("/run/firstlight", join(dir, "run"))
    .replace("/run/systemd/system", dir);
  const log = join(dir, "log");
  const stubs = `
systemctl() {
  case "$*" in
    *ActiveState*firstlight-${busy}*) yes=activating no=inactive ;;
    "show -P Job firstlight-${busy}.service") yes=17 no= ;;
    *" Job "*) echo; return ;;
    *) echo exited; return ;;
  esac
  if [ -s ${dir}/busy ]; then echo "$yes"; tail -c +2 ${dir}/busy > ${dir}/busy.new; mv ${dir}/busy.new ${dir}/busy
  else echo "$no"; fi
}
sleep() { echo "sleep $1" >> ${log}; }
shutdown() { { printf 'shutdown'; printf ' [%s]' "$@"; echo; } >> ${log}; }
systemd-run() { while [ "$1" != /bin/sh ]; do shift; done; . "$2"; }
`;
  for (let times = 0; times < 2; times++) {
    execFileSync("bash", [
      "-c",
      `${stubs}
${script}`,
    ]);
  }
  return readFileSync(log, "utf8")
    .split("\n")
    .filter((line) => line !== "");
}

t.test("it waits for the end of the boot, and does it once", async (t) => {
  t.strictSame(calls(t, "power_state: {mode: reboot}\n"), ["shutdown [-r] [now]"]);
  t.strictSame(calls(t, `power_state: {mode: poweroff, delay: "+5", message: "it's $HOME"}\n`, 2), [
    "sleep 1",
    "sleep 1",
    "shutdown [-P] [+5] [it's $HOME]",
  ]);
  t.strictSame(calls(t, "power_state: {mode: halt, delay: 07, timeout: '1.5'}\n", 9), [
    "sleep 1",
    "sleep 1",
    "shutdown [-H] [+7]",
  ]);
});

t.test("it waits for commands that wait themselves", async (t) => {
  t.strictSame(calls(t, "power_state: {mode: reboot}\n", 2, "commands"), [
    "sleep 1",
    "sleep 1",
    "shutdown [-r] [now]",
  ]);
});

t.test("it asks its condition", async (t) => {
  for (const [condition, isMet] of [
    ["true", true],
    ["'exit 1'", false],
    ["test -e /proc", true],
    ["[test, -e, /no where]", false],
    ["[test, a b, '=', a b]", true],
    [`"true '\\nEND OF SCRIPT\\nEND OF SCRIPT.\\n'"`, true],
  ] as const) {
    const done = calls(t, `power_state: {mode: reboot, condition: ${condition}}\n`);
    t.equal(done.length === 1, isMet, condition);
  }
});
