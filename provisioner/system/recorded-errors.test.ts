import t from "tap";
import type { Fault } from "#core/fault.ts";
import { followLines } from "./fake-follower.ts";
import { evaluationFault, nixFault } from "./nix-errors.ts";
import { oldNix, type RecordedNix, recordedNixes } from "./recorded-nix.ts";

const sources = "/var/lib/firstlight/sources";

/** The fault of a recorded evaluation. */
function faultOf(nix: RecordedNix, name: string, digest: string): Fault {
  const { said } = followLines(nix.recording(name).stderr);
  return evaluationFault({ ...nix.result(name), stderr: said() }, `${sources}/${digest}`);
}

/** What is wrong, in which words, and where; `mute` is a version that does not say where. */
const wrong = [
  { name: "syntax", message: /^syntax error, unexpected/, place: "configuration.nix:3:14" },
  {
    name: "undefined-variable",
    message: /^undefined variable 'frobnicate'$/,
    place: "configuration.nix:3:10",
  },
  {
    name: "type",
    message: /^cannot coerce an integer to a string/,
    place: "configuration.nix:3:20",
  },
  {
    name: "missing-attribute",
    message: /^attribute 'hostName' missing$/,
    place: "configuration.nix:3:10",
  },
  {
    name: "assert",
    message: /^assertion '.*port 65536.*' failed$/,
    place: "configuration.nix:3:10",
  },
  {
    name: "throw",
    message:
      /^Failed assertions:\n- The option `fileSystems' does not specify your root file system\.$/,
    place: "configuration.nix:3:10",
    mute: "2.8.0",
  },
  {
    name: "abort",
    message: /^evaluation aborted with .*: 'this machine is of another kind'$/,
    place: "configuration.nix:3:10",
    mute: "2.8.0",
  },
  {
    name: "missing-file",
    message: /'absent\.nix'.* (No such file or directory|does not exist)$/,
    place: "absent.nix",
  },
  {
    name: "recursion",
    message: /^infinite recursion encountered$/,
    place: "configuration.nix:3:3",
  },
  {
    name: "argument",
    message: /'named' .*called without required argument 'name'$/,
    place: "configuration.nix:1:13",
  },
  {
    name: "import-from-derivation",
    message: /^cannot build '.*-made\.nix\.drv.*' .* 'allow-import-from-derivation' is disabled$/,
    place: "configuration.nix:10:1",
    hint: /fetch it with builtins\.fetchTarball/,
  },
  {
    name: "nested",
    message: /^cannot coerce an integer to a string/,
    place: "local.nix:3:17",
    last: "configuration.nix:3:10",
  },
];

for (const nix of recordedNixes) {
  for (const { name, message, place, mute, last, hint } of wrong) {
    t.test(
      `Nix ${nix.version}: ${name} is told in its own words, deepest place first`,
      async (t) => {
        const fault = faultOf(nix, `evaluation-${name}`, name);
        t.equal(fault.code, "system/evaluation-failed");
        const places = fault.findings.map(({ document, line, column }) =>
          [document, line, column].filter((part) => part !== null).join(":"),
        );
        t.equal(places[0], nix.version === mute ? undefined : place);
        if (last !== undefined) t.equal(places.at(-1), last);
        t.match(fault.message.replace(/^[a-z]+\.nix(:[0-9]+)?: /, ""), message);
        if (hint !== undefined) t.match(fault.hint, hint);
      },
    );
  }

  t.test(`Nix ${nix.version}: a daemon that is away is no mistake of the configuration`, (t) => {
    t.match(faultOf(nix, "daemon-away", "whole"), {
      code: "system/nix-unreachable",
      message: /cannot connect to socket at '\/nix\/var\/nix\/daemon-socket\/socket'/,
    });
    t.end();
  });
}

/** Words of other commands that fail. */
const failures = {
  "add-root-absent": /-absent-1\.0'/,
  "add-root-untrusted": /-greet-1\.2'/,
  "set-profile-absent": /-absent-1\.0'/,
  "switch-generation-absent": /^x: exit code 1: profile version 77 does not exist$/,
  "requisites-absent": /-absent-1\.0' is not valid$/,
  "store-info-absent": /-absent-1\.0' is not valid$/,
  "valid-not": /-absent-1\.0' is not valid$/,
  "delete-paths-alive": /^x: exit code 1: Cannot delete path '.*' since it is still alive/,
};

for (const nix of recordedNixes) {
  for (const [name, message] of Object.entries(failures)) {
    t.test(`Nix ${nix.version}: ${name} is a fault in Nix's words`, async (t) => {
      t.equal(nix.recording(name).code, 1);
      t.match(nixFault(nix.result(name), "x"), { code: "system/nix-failed", message });
    });
  }
}

t.test(`Nix ${oldNix.version} is told to be too old`, async (t) => {
  t.match(faultOf(oldNix, "evaluate", "whole"), {
    code: "system/nix-too-old",
    message: "evaluating the configuration: this Nix is older than 2.4",
  });
});
