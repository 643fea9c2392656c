# Configurations on the list of NixOS's options, each whole: every option that somebody defines is evaluated
# to its end. Of each how many those are, and the values that are asked for.
{
  lib,
  tree,
  words,
  wanted,
  configurations,
}@given:
let
  # By itself it has no list of those who care for packages.
  lib = given.lib.extend (_: _: { maintainers = given.lib.genAttrs words (name: { inherit name; }); });

  # Names that NixOS still takes.
  renamed =
    let
      renames = {
        "services.xserver.desktopManager.plasma6.enable" = "services.desktopManager.plasma6.enable";
        "system.replaceRuntimeDependencies" = "system.replaceDependencies.replacements";
      };
    in
    lib.mapAttrsToList (
      old: new: lib.mkRenamedOptionModule (lib.splitString "." old) (lib.splitString "." new)
    ) renames;

  evaluate =
    { entry, system }:
    let
      pkgs = import ./packages.nix { inherit lib words system; };
      evaluated = lib.evalModules {
        specialArgs.modulesPath = toString ./nixos;
        modules = [
          (import ./options.nix {
            inherit lib tree;
            placeholder = pkgs.hello;
          })
          {
            _module.args = {
              inherit pkgs;
              utils = pkgs.utils;
            };
            boot.kernelPackages = lib.mkOverride 1400 pkgs.linuxPackages;
            hardware.nvidia.package = lib.mkOverride 1400 pkgs.nvidia_x11;
          }
          entry
        ]
        ++ renamed;
      };
      defined = definedBelow [ ] (removeAttrs evaluated.options [ "_module" ]);
      failed = lib.filter (each: !each.assertion) evaluated.config.assertions;
    in
    if failed != [ ] then
      throw "an assertion does not hold: ${(lib.head failed).message}"
    else
      {
        options = lib.length (lib.filter (each: builtins.deepSeq (plain each.value) true) defined);
        values = lib.listToAttrs (
          map (name: {
            inherit name;
            value = plain (lib.attrByPath (lib.splitString "." name) null evaluated.config);
          }) wanted
        );
      };

  definedBelow =
    path: options:
    lib.concatLists (
      lib.mapAttrsToList (
        name: option:
        if lib.isOption option then
          lib.optional (option.isDefined && option.highestPrio < 1400) {
            path = path ++ [ name ];
            inherit (option) value;
          }
        else
          definedBelow (path ++ [ name ]) option
      ) options
    );

  # Functions and packages become words.
  plain =
    value:
    if lib.isDerivation value then
      "<${value.name}>"
    else if lib.isFunction value then
      "<function>"
    else if lib.isAttrs value then
      lib.mapAttrs (_: plain) value
    else if lib.isList value then
      map plain value
    else
      value;
in
# One after another, each told on standard error as soon as it is known: what comes before a failure stays.
map (
  each:
  let
    verdict = evaluate each;
  in
  builtins.deepSeq verdict (builtins.trace (builtins.toJSON verdict) verdict)
) configurations
