/** What `<nixpkgs/nixos>` is here: the configuration is the system. */
export const nixos = `{ configuration ? import <nixos-config> }:
{
  config.system.build.toplevel = configuration;
}
`;

/** A package that lies in a cache, and what it needs. */
const cachedPackage = `
  library = make "libgreet-1.0" "echo library > $out";
  greet = make "greet-1.2" "echo \${library} > $out";
`;

const make = `let
  make = name: script: derivation {
    inherit name;
    system = builtins.currentSystem;
    builder = "/bin/sh";
    args = [ "-c" script ];
  };
  phase = name: "echo '@nix { \\"action\\": \\"setPhase\\", \\"phase\\": \\"\${name}\\" }' >&$NIX_LOG_FD\\n";
  system = script: make "nixos-system-edge-25.11" script;
`;

/** A system whose parts are built one after the other. */
const wholeSystem = `${make}
  unit = make "unit-sshd.service" ''
    \${phase "buildPhase"}
    echo checking sshd.service
    \${phase "installPhase"}
    echo '[Unit]' > $out
  '';
  etc = make "etc" "echo \${unit} > $out";
in
system "echo \${etc} > $out"
`;

/** The same, where one part comes to an end like this. */
function brokenSystem(script: string): string {
  return `${make}
  unit = make "unit-cron.service" ''
    ${script}
  '';
  etc = make "etc" "echo \${unit} > $out";
in
system "echo \${etc} > $out"
`;
}

/** Configurations whose systems are built, by name. */
export const buildable = {
  whole: wholeSystem,
  failed: brokenSystem(`echo reading cron.service
    echo 'cron.service: no such directive' >&2
    exit 7`),
  killed: brokenSystem(`echo compiling
    kill -9 $$`),
  "no-output": brokenSystem("echo done"),
  "full-disk": brokenSystem("echo 'install: error writing: No space left on device' >&2; exit 1"),
  "hash-mismatch": `${make}
  source = derivation {
    name = "source.tar.gz";
    system = builtins.currentSystem;
    builder = "/bin/sh";
    args = [ "-c" "echo another > $out" ];
    outputHashAlgo = "sha256";
    outputHashMode = "flat";
    outputHash = "1111111111111111111111111111111111111111111111111111";
  };
in
system "echo \${source} > $out"
`,
  fetched: `${make}${cachedPackage}
in
system "echo \${greet} > $out"
`,
} as const;

/** Configurations that do not evaluate, by name. */
export const wrong = {
  syntax: `{
  a = 1;
  networking hostName = "edge";
}
`,
  "undefined-variable": `{
  type = "derivation";
  name = frobnicate;
}
`,
  type: `{
  type = "derivation";
  name = "edge-" + 5;
}
`,
  "missing-attribute": `let config = { networking = { }; }; in
{
  name = config.networking.hostName;
  type = "derivation";
}
`,
  assert: `let port = 70000; in
{
  name = assert port < 65536; "edge";
  type = "derivation";
}
`,
  throw: `{
  type = "derivation";
  name = throw "\nFailed assertions:\n- The option \`fileSystems' does not specify your root file system.";
}
`,
  abort: `{
  type = "derivation";
  name = abort "this machine is of another kind";
}
`,
  "missing-file": `{
  type = "derivation";
  name = import ./absent.nix;
}
`,
  recursion: `let system = {
  type = "derivation";
  name = system.name;
}; in system
`,
  argument: `let named = { name }: { inherit name; type = "derivation"; }; in
named
  { nam = "edge"; }
`,
  "import-from-derivation": `${make.trimEnd()} made = make "made.nix" "echo '{ }' > $out"; in
import made
`,
  nested: `let place = import ./local.nix; in
{
  name = place { port = "22"; };
  type = "derivation";
}
`,
} as const;

/** A file beside `nested`, in which it goes wrong. */
export const local = `{ port }:
let
  next = port + 1;
in
"edge-\${toString next}"
`;
