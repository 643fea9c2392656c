import t from "tap";
import { fc } from "#core/fast-check.ts";
import type { ExecResult } from "#core/io.ts";
import { buildFault, evaluationFault } from "./nix-errors.ts";

const dir = "/var/lib/firstlight/sources/abc";

function ended(stderr: string, code = 1): ExecResult {
  return { code, signal: null, stdout: "", stderr, timedOut: false, aborted: false, ms: 1 };
}

const evaluations = [
  {
    name: "of Nix 2.8, message first",
    stderr: `error: undefined variable 'frobnicate'

       at ${dir}/firstlight/instance.nix:3:5:

            2|   networking.hostName = "edge";
            3|   frobnicate;
             |   ^

       … while evaluating the attribute 'config.system.build.toplevel'
`,
    message: "firstlight/instance.nix:3: undefined variable 'frobnicate'",
    places: [{ document: "firstlight/instance.nix", line: 3, column: 5 }],
  },
  {
    name: "of Nix 2.24, message last",
    stderr: `warning: ignoring something
error:
       … while calling the 'head' builtin
         at /nix/store/eeee-source/lib/attrsets.nix:1574:11:
         1573|         || pred here (elemAt values 1) (head values) then
             |           ^

       … while evaluating the option 'networking.hostName'

       error: A definition for option 'networking.hostName' is not of type 'string'. Definition values:
       - In '${dir}/firstlight/instance.nix': 5
       - In '${dir}/local.nix': true
`,
    message:
      "firstlight/instance.nix: A definition for option 'networking.hostName' is not of type 'string'. Definition values:\n- In 'firstlight/instance.nix': 5\n- In 'local.nix': true",
    places: [
      { document: "firstlight/instance.nix", line: null, column: null },
      { document: "local.nix", line: null, column: null },
    ],
  },
  {
    name: "of failed assertions, in colours",
    stderr: `\u001b[31;1merror:\u001b[0m
       \u001b[35;1merror:\u001b[0m
       Failed assertions:
       - The ‘fileSystems’ option does not specify your root file system.
`,
    message: /Failed assertions:/,
    places: [],
  },
  { name: "that says nothing", stderr: "", message: "Nix ended with exit code 1", places: [] },
];

for (const { name, stderr, message, places } of evaluations) {
  t.test(`an evaluation error ${name} is told in its own words and places`, async (t) => {
    const fault = evaluationFault(ended(stderr), dir);
    t.match(fault, { code: "system/evaluation-failed", message });
    t.same(
      fault.findings.map(({ document, line, column }) => ({ document, line, column })),
      places,
    );
  });
}

const builds = [
  {
    name: "of Nix 2.8",
    stderr: `this derivation will be built:
  /nix/store/aaa-unit.drv
building '/nix/store/aaa-unit.drv'...
some line
error: builder for '/nix/store/aaa-unit.drv' failed with exit code 7;
       last 2 log lines:
       > checking
       > no such unit
       For full logs, run 'nix log /nix/store/aaa-unit.drv'.
error: 1 dependencies of derivation '/nix/store/bbb-nixos-system.drv' failed to build
`,
    message: "/nix/store/aaa-unit.drv: exit code 7; last lines:\nchecking\nno such unit",
  },
  {
    name: "of Nix 2.31",
    stderr: `error: Cannot build '/nix/store/aaa-unit.drv'.
       Reason: builder failed with exit code 1.
       Output paths:
         /nix/store/ccc-unit
       Last 1 log lines:
       > boom
error: Cannot build '/nix/store/bbb-nixos-system.drv'.
       Reason: 1 dependency failed.
`,
    message: "/nix/store/aaa-unit.drv: exit code 1; last lines:\nboom",
  },
  {
    name: "of a hash that does not fit",
    stderr:
      "error: hash mismatch in fixed-output derivation '/nix/store/aaa-x.drv':\n  specified: sha256-AA\n     got: sha256-BB\n",
    message: /aaa-x\.drv: hash mismatch; last lines:/,
  },
  {
    name: "of another kind",
    stderr: "error: cannot build on 'ssh://x'\n",
    message: /exit code 100; last lines:\nerror: cannot build on/,
  },
];

for (const { name, stderr, message } of builds) {
  t.test(`a build error ${name} names the culprit and its last lines`, async (t) => {
    t.match(buildFault(ended(stderr, 100)), { code: "system/build-failed", message });
  });
}

t.test("troubles that are not the configuration's have codes of their own", async (t) => {
  const full = "error: writing to file: No space left on device\n";
  t.equal(evaluationFault(ended(full), dir).code, "system/disk-full");
  t.equal(buildFault(ended(full)).code, "system/disk-full");
  const daemon =
    "error: cannot connect to socket at '/nix/var/nix/daemon-socket/socket': Connection refused\n";
  t.equal(evaluationFault(ended(daemon), dir).code, "system/nix-unreachable");
  t.equal(buildFault({ ...ended(""), code: null, timedOut: true }).code, "system/timeout");
  t.equal(buildFault({ ...ended(""), code: null, aborted: true }).code, "system/canceled");
});

t.test("whatever Nix prints, the message stays short and clean", async () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom(
      "error: ",
      "\n",
      "       > ",
      `${dir}/x.nix:1:2`,
      "builder for '/nix/store/a.drv' failed with ",
      "\u001b[31m",
    ),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 200 }), (pieces) => {
      for (const fault of [
        evaluationFault(ended(pieces.join("")), dir),
        buildFault(ended(pieces.join(""))),
      ]) {
        if (fault.message.length > 10_000 || /[^\P{Cc}\n\t]/u.test(fault.message)) return false;
      }
      return true;
    }),
  );
});
