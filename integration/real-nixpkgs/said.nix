# What becomes of rendered configurations in a module system: for each the options that its files set, all that
# they say of them evaluated, the assertions that do not hold, and the derivation of the system. `evaluate` makes
# a system (`config`, `options` and `pkgs`) of the path of a `configuration.nix`.
{
  lib,
  evaluate,
  entries,
}:
let
  isOption = v: v._type or null == "option";
  isDerivation = v: v.type or null == "derivation";
  all = builtins.all (v: v);

  force =
    v:
    if builtins.isFunction v then
      true
    else if builtins.isList v then
      builtins.all force v
    else if isDerivation v then
      builtins.seq v.drvPath true
    else if builtins.isAttrs v then
      builtins.all force (builtins.attrValues v)
    else
      builtins.seq v true;

  # What a definition says of a value: beside it there may be what nobody defines.
  forceSaid =
    said: v:
    if said ? _type then
      forceSaid (said.content or { }) v
    else if builtins.isAttrs said && builtins.isAttrs v && !isDerivation said && !isDerivation v then
      all (map (name: forceSaid said.${name} v.${name}) (builtins.filter (n: v ? ${n}) (builtins.attrNames said)))
    else if builtins.isList said && builtins.isList v then
      if builtins.length said == builtins.length v then
        all (builtins.genList (i: forceSaid (builtins.elemAt said i) (builtins.elemAt v i)) (builtins.length v))
      else
        builtins.all (each: builtins.seq each true) v
    else
      force v;

  optionsIn =
    options: said:
    if isOption options then
      builtins.seq (forceSaid said options.value) [ (builtins.concatStringsSep "." options.loc) ]
    else if said ? _type then
      optionsIn options said.content
    else
      builtins.concatMap (name: optionsIn options.${name} said.${name}) (builtins.attrNames said);

  printed = [
    "instance"
    "network"
    "hardware"
    "generation"
  ];
  one =
    entry:
    let
      system = evaluate entry;
      files = map (name: dirOf entry + "/firstlight/${name}.nix") printed;
      arguments = {
        inherit lib;
        inherit (system) config options pkgs;
      };
      read = file: removeAttrs (call (import file)) [ "imports" ];
      call = module: if builtins.isFunction module then module arguments else module;
      said = builtins.concatMap (file: optionsIn system.options (read file)) (
        builtins.filter builtins.pathExists files
      );
      result = {
        options = builtins.seq (builtins.attrNames system.config) said;
        failed = map (each: each.message) (
          builtins.filter (each: !each.assertion) system.config.assertions
        );
        system = system.config.system.build.toplevel.drvPath;
      };
    in
    builtins.tryEval (builtins.deepSeq result result);
in
map one entries
