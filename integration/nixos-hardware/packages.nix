# Packages of which nothing is built: every word that stands somewhere in the sources is the name of one,
# and a member of each other one. Files that are called with packages are read and called for real.
{ lib, words, system }:
let
  newest = "7.1.0";
  versionOf =
    name:
    let
      found = builtins.match "linux(Packages)?_([0-9]+)_([0-9]+).*" name;
    in
    if found == null then newest else "${lib.elemAt found 1}.${lib.elemAt found 2}";

  make =
    name: version:
    members
    // {
      type = "derivation";
      inherit name version;
      pname = name;
      modDirVersion = version;
      outPath = "/nix/store/00000000000000000000000000000000-${name}";
      drvPath = "/nix/store/00000000000000000000000000000000-${name}.drv";
      outputName = "out";
      outputs = [ "out" ];
      meta.mainProgram = name;
      override = _: make name version;
      overrideAttrs = _: make name version;
      kernel = kernel version;
      kernelOlder = lib.versionOlder version;
      kernelAtLeast = lib.versionAtLeast version;
      # What is made of it, or with it.
      __functor =
        self: argument:
        self
        // lib.optionalAttrs (lib.isAttrs argument && argument ? version) {
          inherit (argument) version;
        };
    };

  kernel = version: make "linux" version // { features = { }; };

  mkDerivation =
    argument:
    let
      given = if lib.isFunction argument then lib.fix argument else argument;
    in
    make (given.pname or given.name) (given.version or newest) // given.passthru or { };

  call =
    file: given:
    let
      function = if lib.isFunction file then file else import file;
      made = function (lib.intersectAttrs (lib.functionArgs function) members // given);
    in
    if lib.isAttrs made && !lib.isDerivation made then
      made // { override = more: call file (given // more); }
    else
      made;

  written = name: text: builtins.seq (builtins.stringLength "${text}") (make name newest);

  format = _: {
    type = lib.types.attrsOf lib.types.anything;
    generate = name: value: builtins.seq value (make name newest);
  };

  platform = lib.systems.elaborate system;

  own = [
    "hello"
    "linuxPackages"
    "nvidia_x11"
    "utils"
  ];

  members = lib.genAttrs (own ++ words) (name: make name (versionOf name)) // {
    inherit lib system mkDerivation;
    callPackage = call;
    hostPlatform = platform;
    targetPlatform = platform;
    buildPlatform = platform;
    stdenv = make "stdenv" newest // {
      inherit mkDerivation;
      hostPlatform = platform;
      buildPlatform = platform;
      targetPlatform = platform;
      isAarch64 = platform.isAarch64;
    };
    linuxPackagesFor = kernel: make "linux-packages" kernel.version // { inherit kernel; };
    formats = lib.genAttrs [ "ini" "json" "keyValue" "toml" "yaml" ] (_: format);
    writeText = written;
    writeScript = written;
    writeScriptBin = written;
    writeShellScript = written;
    writeShellScriptBin = written;
  };
in
members
