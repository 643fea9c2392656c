# What the module rules must do, for any `lib`: the stand-in's, and the real one where it is named.
# `agree`: modules, what to read of their config, and its value. `fail`: the same, and a part of the message.
{ lib }:
let
  inherit (lib) mkOption types;
  option = type: default: mkOption { inherit type default; };
  # Options that most cases use.
  base = {
    options = {
      names = option (types.listOf types.str) [ ];
      port = option types.port 80;
      text = option types.lines "";
      enable = option types.bool false;
      title = option (types.nullOr types.str) null;
      level = option (types.enum [ "low" "high" ]) "low";
      anything = option types.anything { };
      files = option (types.attrsOf (types.submodule ({ name, config, ... }: {
        options = {
          path = option types.str "/etc/${name}";
          mode = option types.str "0644";
          secret = option types.bool false;
          tags = option (types.listOf types.str) [ ];
        };
        config = lib.mkIf config.secret { mode = lib.mkDefault "0600"; };
      }))) { };
    };
  };
  evaluate = case: case.read (lib.evalModules {
    modules = [ base ] ++ case.modules;
    specialArgs = case.specialArgs or { };
  }).config;
  case = modules: read: value: { inherit modules read value; };
  failure = modules: read: message: { inherit modules read message; };
  names = config: config.names;
  files = config: config.files;
  port = config: config.port;
in
rec {
  agree = {
    "a value without definitions is its default" = case [ ] port 80;
    "a default gives way to a definition" = case [ { port = 1; } ] port 1;
    "mkDefault gives way to a definition" = case [ { port = lib.mkDefault 1; } { port = 2; } ] port 2;
    "mkForce wins over a definition" = case [ { port = 1; } { port = lib.mkForce 2; } ] port 2;
    "mkOverride: the smallest number wins" = case [ { port = lib.mkOverride 20 1; } { port = lib.mkForce 2; } { port = lib.mkOverride 10 3; } ] port 3;
    "mkForce on a list drops the others" = case [ { names = [ "a" ]; } { names = lib.mkForce [ "b" ]; } ] names [ "b" ];
    "the same value twice is no conflict" = case [ { port = 5; } { port = 5; } ] port 5;
    "mkIf false is no definition" = case [ { port = lib.mkIf false 1; } ] port 80;
    "mkIf around a module may read config" = case [ ({ config, ... }: lib.mkIf config.enable { names = [ "on" ]; }) { enable = true; } ] names [ "on" ];
    "mkIf in config may read what it sets beside" = case [ ({ config, ... }: { config = lib.mkIf (config.names == [ ]) { port = 7; }; }) ] port 7;
    "mkMerge with conditions inside" = case [ ({ config, ... }: { config = lib.mkMerge [ { enable = true; } (lib.mkIf config.enable { port = 9; }) (lib.mkIf (!config.enable) { port = 10; }) ]; }) ] port 9;
    "nested mkIf and mkMerge" = case [ { config = lib.mkIf true (lib.mkMerge [ (lib.mkIf false { port = 1; }) { port = lib.mkMerge [ (lib.mkIf true 3) ]; } ]); } ] port 3;
    "mkForce around a set reaches its keys" = case [ { files.a.mode = "1"; } { files = lib.mkForce { b = { }; }; } ] (c: lib.attrNames c.files) [ "b" ];
    "lists: imported before importing, later before earlier" = case [ { names = [ "first" ]; } { imports = [ { names = [ "inner" ]; } ]; names = [ "outer" ]; } ] names [ "inner" "outer" "first" ];
    "mkBefore and mkAfter order a list" = case [ { names = lib.mkAfter [ "z" ]; } { names = [ "m" ]; } { names = lib.mkBefore [ "a" ]; } ] names [ "a" "m" "z" ];
    "mkOrder sorts between them" = case [ { names = lib.mkOrder 700 [ "c" ]; } { names = lib.mkOrder 600 [ "b" ]; } { names = lib.mkBefore [ "a" ]; } ] names [ "a" "b" "c" ];
    "mkForce with mkBefore inside" = case [ { names = [ "x" ]; } { names = lib.mkForce (lib.mkBefore [ "y" ]); } { names = lib.mkForce [ "z" ]; } ] names [ "y" "z" ];
    "conditions inside a list drop the element" = case [ { names = [ "a" (lib.mkIf false "b") (lib.mkIf true "c") ]; } ] names [ "a" "c" ];
    "lines are joined" = case [ { text = lib.mkAfter "b"; } { text = "a"; } ] (c: c.text) "a\nb";
    "a diamond of imports counts once" = case [ ./left.nix ./right.nix ] names [ "shared" "left" "right" ];
    "the same file twice counts once" = case [ ./left.nix ./left.nix { imports = [ ./left.nix ]; } ] names [ "shared" "left" ];
    "inline modules are each their own" = case [ { names = [ "a" ]; } { names = [ "a" ]; } ] names [ "a" "a" ];
    "a key makes inline modules one" = case [ { key = "k"; names = [ "a" ]; } { key = "k"; names = [ "a" ]; } ] names [ "a" ];
    "nested inline imports of functions" = case [ ({ lib, ... }: { imports = [ ({ config, ... }: { imports = [ { port = 11; } ]; names = lib.optional (config.port == 11) "eleven"; }) ]; }) ] names [ "eleven" ];
    "disabledModules drops a file" = case [ ./left.nix ./right.nix { disabledModules = [ ./left.nix ]; } ] names [ "shared" "right" ];
    "_module.args reach functions" = case [ { _module.args.word = "hello"; } ({ word, ... }: { names = [ word ]; }) ] names [ "hello" ];
    "specialArgs reach imports" = case [ ({ extra, ... }: { imports = extra; }) ] names [ "special" ] // { specialArgs.extra = [ { names = [ "special" ]; } ]; };
    "attrsOf submodule: name, defaults and conditions inside" = case [ { files.a = { secret = true; }; files.b = { mode = "0755"; }; } ] files {
      a = { path = "/etc/a"; mode = "0600"; secret = true; tags = [ ]; };
      b = { path = "/etc/b"; mode = "0755"; secret = false; tags = [ ]; };
    };
    "attrsOf submodule: several files, one entry" = case [ { files.a.mode = "1"; } { files.a.tags = [ "t" ]; } ({ config, ... }: { files.a.secret = config.enable; }) ] (c: c.files.a) { path = "/etc/a"; mode = "1"; secret = false; tags = [ "t" ]; };
    "attrsOf: a key whose conditions are all false is not there" = case [ ({ config, ... }: { files = lib.mkMerge [ { a = lib.mkIf config.enable { }; } (lib.mkIf config.enable { b = { }; }) { c = { }; } ]; }) ] (c: lib.attrNames c.files) [ "c" ];
    "attrsOf: a condition may read another entry" = case [ ({ config, ... }: { files.a.mode = "7"; files.b.tags = lib.mkIf (config.files.a.mode == "7") [ "seven" ]; }) ] (c: c.files.b.tags) [ "seven" ];
    "a submodule may be a function" = case [ { files.a = { name, ... }: { mode = name; }; } ] (c: c.files.a.mode) "a";
    "nullOr takes null and a value" = case [ { title = null; } { title = lib.mkForce "t"; } ] (c: c.title) "t";
    "anything merges sets deeply" = case [ { anything.a.b = 1; } { anything.a.c = [ 2 ]; } { anything.a.b = lib.mkDefault 5; } ] (c: c.anything) { a = { b = 1; c = [ 2 ]; }; };
    "apply changes what is read" = case [ { options.x = mkOption { type = types.int; apply = v: v * 2; }; config.x = 4; } ] (c: c.x) 8;
    "coercedTo accepts the old form" = case [ { options.x = option (types.coercedTo types.str (s: [ s ]) (types.listOf types.str)) [ ]; config.x = lib.mkMerge [ "a" [ "b" ] ]; } ] (c: c.x) [ "a" "b" ];
    "oneOf takes each form" = case [ { options.x = option (types.attrsOf (types.oneOf [ types.bool types.int types.str ])) { }; config.x = { a = true; b = 1; c = "s"; }; } ] (c: c.x) { a = true; b = 1; c = "s"; };
    "either of a list and a value" = case [ { options.x = option (types.either (types.listOf types.int) types.int) 0; config.x = lib.mkMerge [ [ 1 ] [ 2 ] ]; } ] (c: lib.length c.x) 2;
    "a freeform submodule keeps what is not declared" = case [ {
      options.settings = option (types.submodule { freeformType = types.attrsOf (types.either types.int types.str); options.port = option types.port 22; }) { };
      config.settings = { Level = "x"; gone = lib.mkIf false 1; };
    } ] (c: c.settings) { Level = "x"; port = 22; };
    "an option declared twice as submodule has both parts" = case [ { options.files = mkOption { type = types.attrsOf (types.submodule { options.owner = option types.str "root"; }); }; config.files.a = { }; } ] (c: c.files.a) { path = "/etc/a"; mode = "0644"; secret = false; tags = [ ]; owner = "root"; };
    "mkEnableOption is off" = case [ { options.x.enable = lib.mkEnableOption "x"; } ] (c: c.x.enable) false;
    "options tells who defined what" = case [ ({ options, ... }: { names = lib.optional options.title.isDefined "title" ++ lib.optional (options.port.highestPrio == 1000) "port"; port = lib.mkDefault 4; }) ] names [ "title" "port" ];
    "mkRenamedOptionModule passes a definition on" = case [ (lib.mkRenamedOptionModule [ "old" "port" ] [ "port" ]) { options.warnings = option (types.listOf types.str) [ ]; } { old.port = 12; } ] port 12;
    "an unused wrong value is not read" = case [ { title = throw "never"; port = 3; } ] port 3;
    "types.package and path accept store paths" = case [ { options.p = mkOption { type = types.path; }; config.p = "/a/b"; } ] (c: c.p) "/a/b";
    "uniq takes one value" = case [ { options.u = mkOption { type = types.uniq types.str; }; config.u = "one"; } ] (c: c.u) "one";
    "functionTo merges results" = case [ { options.f = mkOption { type = types.functionTo (types.listOf types.int); }; config.f = x: [ x ]; } { f = x: [ (x + 1) ]; } ] (c: lib.length (c.f 1)) 2;
    "lazyAttrsOf keeps other keys readable" = case [ { options.l = mkOption { type = types.lazyAttrsOf types.int; }; config.l = { a = 1; b = throw "never"; }; } ] (c: c.l.a) 1;
    "submodule of its own imports" = case [ { files.a = { ... }: { imports = [ { tags = [ "i" ]; } ]; }; } ] (c: c.files.a.tags) [ "i" ];
  };

  fail = {
    "two values of the same priority conflict, both files named" = failure [ ./port-8080.nix ./port-9090.nix ] port "has conflicting definition values";
    "a value of the wrong type" = failure [ { port = "http"; } ] port "is not of type";
    "a port out of range" = failure [ { port = 65536; } ] port "is not of type";
    "a value out of an enum" = failure [ { level = "middle"; } ] (c: c.level) "is not of type";
    "null where no null may be" = failure [ { names = null; } ] names "is not of type";
    "an element of the wrong type" = failure [ { names = [ 1 ]; } ] names "is not of type";
    "null and a value conflict" = failure [ { title = null; } { title = "t"; } ] (c: c.title) "is defined both null and not null";
    "an option that does not exist" = failure [ { nmes = [ ]; } ] names "does not exist";
    "an option that does not exist in a submodule" = failure [ { files.a.mod = "1"; } ] files "does not exist";
    "no value at all" = failure [ { options.x = mkOption { type = types.str; }; } ] (c: c.x) "but has no value defined";
    "other keys beside config" = failure [ { config.port = 1; names = [ ]; } ] port "has an unsupported attribute";
    "a module that is none" = failure [ { imports = [ 3 ]; } ] port "";
    "an option declared twice" = failure [ { options.port = mkOption { type = types.str; }; } ] port "is already declared in";
    "a read-only option set twice" = failure [ { options.r = mkOption { type = types.int; readOnly = true; }; config.r = 1; } { r = 1; } ] (c: c.r) "is read-only, but it's set multiple times";
    "uniq set twice" = failure [ { options.u = mkOption { type = types.uniq types.str; }; config.u = "a"; } { u = "b"; } ] (c: c.u) "is defined multiple times while it's expected to be unique";
  };

  values = builtins.mapAttrs (_: evaluate) agree;
  expected = builtins.mapAttrs (_: c: c.value) agree;
  messages = builtins.mapAttrs (_: c: c.message) fail;
  failing = builtins.mapAttrs (_: evaluate) fail;
}
