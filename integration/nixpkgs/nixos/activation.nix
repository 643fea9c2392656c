# system.activationScripts in the order of their deps. The steps that the stand-in does itself are
# shell functions of activate.sh; those of a configuration see the machine's /etc, /run and /var.
{ config, lib, pkgs, ... }:
let
  inherit (lib) mapAttrs mkOption types;
  steps = config.system.activationScripts;
  own = [ "specialfs" "var" "users" "groups" "etc" ];

  # Depth first, each step once, after what it depends on.
  visit = seen: name:
    if lib.elem name seen.done then seen
    else if lib.elem name seen.open then throw "system.activationScripts: ${name} depends on itself"
    else if !(steps ? ${name}) then throw "system.activationScripts: there is no step ${name}, but another one depends on it"
    else let below = lib.foldl' visit (seen // { open = seen.open ++ [ name ]; }) steps.${name}.deps; in
      seen // { done = below.done ++ [ name ]; };
  ordered = (lib.foldl' visit { done = [ ]; open = [ ]; } (lib.attrNames steps)).done;
  step = name: let s = steps.${name}; in
    if lib.elem name own && s.text == "" then "own ${name}\n"
    else "snippet ${lib.escapeShellArg name} ${if s.text == "" then "/dev/null" else pkgs.writeText "activation-${lib.sanitizeDerivationName name}" s.text} ${lib.boolToString s.supportsDryActivation}\n";
in
{
  options.system = {
    activationScripts = mkOption {
      default = { };
      type = types.attrsOf (types.coercedTo types.str (text: { inherit text; }) (types.submodule {
        options = {
          deps = mkOption { type = types.listOf types.str; default = [ ]; };
          text = mkOption { type = types.lines; default = ""; };
          supportsDryActivation = mkOption { type = types.bool; default = false; };
        };
      }));
    };
    userActivationScripts = mkOption { default = { }; type = types.attrsOf types.anything; };
  };
  config.system = {
    activationScripts = mapAttrs (_: deps: { inherit deps; }) {
      specialfs = [ ];
      var = [ ];
      users = [ "specialfs" ];
      groups = [ "users" ];
      etc = [ "users" "groups" "specialfs" ];
      binsh = [ ];
      hostname = [ ];
      stdio = [ ];
      usrbinenv = [ ];
      wrappers = [ "users" ];
    };
    build.activationSteps = lib.concatMapStrings step ordered;
  };
}
