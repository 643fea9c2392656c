# A template's module, called and flattened: the definitions that hold, each with its path. Functions and
# packages become words.
{
  lib,
  module,
  parameters,
  packages,
  options,
}:
let
  name = path: lib.concatStringsSep "." path;
  packageSet = lib.foldl' (
    set: path: lib.recursiveUpdate set (lib.setAttrByPath path "<package>${name path}")
  ) { } packages;
  pkgs = packageSet // {
    writeShellScript = script: text: builtins.seq (builtins.stringLength text) "<package>${script}";
  };
  config = {
    networking.nftables.enable = false;
    services.tailscale.interfaceName = "tailscale0";
    boot.kernelPackages.nvidiaPackages.production = "<package>nvidia";
  };
  holds =
    value:
    let
      type = if lib.isAttrs value then value._type or null else null;
    in
    if type == "merge" then
      lib.concatMap holds value.contents
    else if type == "if" then
      lib.optionals value.condition (holds value.content)
    else if type == null then
      [ value ]
    else
      holds value.content;
  leaves =
    path: value:
    lib.concatMap (
      here:
      if lib.isAttrs here && here != { } then
        lib.concatMap (key: leaves (path ++ [ key ]) here.${key}) (lib.attrNames here)
      else
        [
          {
            inherit path;
            value = if lib.isFunction here then "<function>" else here;
          }
        ]
    ) (holds value);
in
leaves [ ] (
  (import module parameters) {
    inherit
      config
      lib
      options
      pkgs
      ;
  }
)
