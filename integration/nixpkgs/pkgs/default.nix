# The package set: stubs that carry a name, a version and their programs. A program of the host is
# linked where there is one of that name; any other exits 127. An unknown package is Nix's own error.
{ lib, system, config, overlays }:
let
  names = import ./names.nix;
  build = args: derivation ({ inherit system; builder = "/bin/sh"; PATH = "/usr/bin:/bin:/usr/sbin:/sbin"; preferLocalBuild = true; allowSubstitutes = false; } // args);

  # A stub package; `programs` are the names below its bin/.
  stub = { pname, version ? "1.0", programs ? [ pname ], passthru ? { }, meta ? { } }:
    let
      package = build {
        name = "${pname}-${version}";
        inherit pname version;
        args = [ "-c" ''
          mkdir -p "$out/bin" "$out/share/${pname}" && cd "$out/bin"
          # Not `command -v`, which names what the shell does itself.
          find() { (IFS=:; for directory in $PATH; do if [ -x "$directory/$1" ]; then echo "$directory/$1"; exit; fi; done); }
          for program in ${lib.escapeShellArgs programs}; do
            target=$(find "$program")
            if [ -n "$target" ]; then ln -s "$target" "$program"
            else printf '#!/bin/sh\necho "%s: a stub of the stand-in for nixpkgs" >&2\nexit 127\n' "$program" > "$program"; chmod 555 "$program"
            fi
          done
        '' ];
      };
    in
    package // passthru // {
      inherit pname version;
      meta = { mainProgram = if programs == [ ] then pname else builtins.head programs; available = true; } // meta;
    };

  # What `stdenv.mkDerivation` and its relatives give here: the stub of that name.
  mkDerivation = given:
    let attrs = if lib.isFunction given then lib.fix given else given; in
    stub {
      pname = attrs.pname or (lib.getName attrs.name);
      version = attrs.version or "1.0";
      programs = [ attrs.meta.mainProgram or attrs.pname or (lib.getName attrs.name) ];
      passthru = attrs.passthru or { };
      meta = attrs.meta or { };
    };

  writeTextFile = { name, text, executable ? false, destination ? "", meta ? { }, ... }: build {
    inherit name text;
    passAsFile = [ "text" ];
    args = [ "-c" ''
      target=$out${lib.escapeShellArg destination}
      mkdir -p "''${target%/*}" && cp "$textPath" "$target"
      ${lib.optionalString executable "chmod 555 \"$target\""}
    '' ];
  } // { inherit meta; };
  writeScript = name: text: writeTextFile { inherit name text; executable = true; };

  writers = rec {
    inherit writeTextFile writeScript;
    writeText = name: text: writeTextFile { inherit name text; };
    writeTextDir = path: text: writeTextFile { name = baseNameOf path; inherit text; destination = "/${path}"; };
    writeScriptBin = name: text: writeTextFile { inherit name text; executable = true; destination = "/bin/${name}"; meta.mainProgram = name; };
    writeShellScript = name: text: writeScript name "#!/bin/bash\n${text}";
    writeShellScriptBin = name: text: writeScriptBin name "#!/bin/bash\n${text}";
    writeShellApplication = { name, text, runtimeInputs ? [ ], runtimeEnv ? { }, bashOptions ? [ "errexit" "nounset" "pipefail" ], ... }:
      writeShellScriptBin name ''
        ${lib.concatMapStrings (option: "set -o ${option}\n") bashOptions}
        ${lib.optionalString (runtimeInputs != [ ]) "export PATH=${lib.makeBinPath runtimeInputs}:$PATH"}
        ${lib.concatStrings (lib.mapAttrsToList (key: value: "export ${key}=${lib.escapeShellArg value}\n") runtimeEnv)}
        ${text}
      '';
    runCommand = name: env: text: build (removeAttrs env [ "passthru" "meta" ] // {
      inherit name text;
      passAsFile = [ "text" ] ++ env.passAsFile or [ ];
      args = [ "-ec" ". \"$textPath\"" ];
    }) // env.passthru or { };
    runCommandLocal = runCommand;
    concatText = name: files: runCommand name { } "cat ${lib.escapeShellArgs files} > $out";
    symlinkJoin = { name, paths, postBuild ? "", ... }: runCommand name { } ''
      mkdir -p $out
      for path in ${toString paths}; do cp -rsf "$path/." "$out/"; done
      ${postBuild}
    '';
    buildEnv = { name, paths, ... }: symlinkJoin { inherit name paths; };
    linkFarm = name: entries: runCommand name { } ''
      mkdir -p $out
      ${lib.concatMapStrings (e: ''
        mkdir -p "$(dirname $out/${lib.escapeShellArg e.name})" && ln -s ${e.path} $out/${lib.escapeShellArg e.name}
      '') (if lib.isList entries then entries else lib.mapAttrsToList (name: path: { inherit name path; }) entries)}
    '';
  };

  format = name: print: {
    type = lib.types.json name;
    generate = file: value: writers.writeText file (print value);
  };
  formats = {
    json = _: format "JSON" (value: "${builtins.toJSON value}\n");
    yaml = _: format "YAML" (value: "${builtins.toJSON value}\n");
    ini = options: format "INI" (lib.generators.toINI options);
    keyValue = _: format "key-value" (lib.generators.toKeyValue { });
  };

  # A kernel and the modules built for it.
  kernel = version: lib.genAttrs names.kernelPackages (pname: stub { inherit pname version; programs = [ ]; })
    // {
      kernel = stub { pname = "linux"; inherit version; programs = [ ]; };
      nvidiaPackages = lib.genAttrs names.nvidiaDrivers (branch: stub { pname = "nvidia-x11"; version = "${version}-${branch}"; programs = [ ]; });
    };

  base = lib.genAttrs names.packages (pname: stub { inherit pname; })
    // lib.mapAttrs (pname: programs: stub { inherit pname programs; }) names.programs
    // lib.mapAttrs (pname: programs: stub { inherit pname programs; passthru.shellPath = "/bin/${builtins.head programs}"; }) names.shells
    // writers
    // {
      inherit lib formats config system mkDerivation;
      inherit (lib) makeOverridable;
      # Runs this checkout's program where the test machine names one (see nix-machine.ts).
      firstlight = writers.writeShellScriptBin "firstlight" ''exec "${dirOf builtins.storeDir}/var/stand-in/firstlight" "$@"''
        // { pname = "firstlight"; version = "0.1.0"; meta.mainProgram = "firstlight"; };
      linuxPackages = kernel "6.12.1";
      linuxPackages_latest = kernel "6.18.1";
      linuxPackages_6_12 = kernel "6.12.1";
      linuxPackages_rpi4 = kernel "6.6.31-rpi4";
      python3Packages = lib.genAttrs names.python (pname: stub { inherit pname; });
      cudaPackages.cudatoolkit = stub { pname = "cudatoolkit"; };
      stdenv = { inherit mkDerivation system; hostPlatform = platform; buildPlatform = platform; isLinux = true; };
      stdenvNoCC = { inherit mkDerivation; };
      buildNpmPackage = mkDerivation;
      hostPlatform = platform;
      callPackage = f: args:
        let function = if lib.isFunction f then f else import f; in
        function (builtins.intersectAttrs (lib.functionArgs function) final // args);
      fetchNpmDeps = _: { };
      nixos = configuration: import ../nixos { inherit configuration system; };
      extend = overlay: import ./. { inherit lib system config; overlays = overlays ++ [ overlay ]; };
    };
  platform = {
    inherit system;
    isLinux = true;
    isx86_64 = lib.hasPrefix "x86_64" system;
    isx86 = lib.hasPrefix "x86_64" system || lib.hasPrefix "i686" system;
    isAarch64 = lib.hasPrefix "aarch64" system;
    isAarch = lib.hasPrefix "aarch64" system;
    isDarwin = false;
    efiArch = if lib.hasPrefix "aarch64" system then "aa64" else "x64";
  };
  final = builtins.foldl' (prev: overlay: prev // overlay final prev) base overlays;
in
final
