# Values as the text of configuration formats.
{ lib }:
let
  inherit (builtins) concatStringsSep isAttrs isBool isFloat isInt isList isString toJSON;
  inherit (lib) boolToString concatMapStrings isDerivation mapAttrsToList;
in
rec {
  mkValueStringDefault = _: v:
    if isString v then v
    else if isDerivation v || lib.isStringLike v then toString v
    else if v == null then "null"
    else if isBool v then boolToString v
    else if isInt v || isFloat v then toString v
    else throw "generators.mkValueStringDefault: cannot print ${builtins.typeOf v}";

  mkKeyValueDefault = { mkValueString ? mkValueStringDefault { } }: separator: key: value: "${key}${separator}${mkValueString value}";

  toKeyValue = { mkKeyValue ? mkKeyValueDefault { } "=", listsAsDuplicateKeys ? false, indent ? "" }: set:
    lib.concatStrings (lib.concatLists (mapAttrsToList (key: value:
      map (v: "${indent}${mkKeyValue key v}\n") (if listsAsDuplicateKeys then lib.toList value else [ value ])) set));

  toINI = { mkSectionName ? lib.id, mkKeyValue ? mkKeyValueDefault { } "=", listsAsDuplicateKeys ? false }: sections:
    concatStringsSep "\n" (mapAttrsToList (name: set:
      "[${mkSectionName name}]\n" + toKeyValue { inherit mkKeyValue listsAsDuplicateKeys; } set) sections);

  toJSON = _: builtins.toJSON;
  toYAML = toJSON;

  # A short Nix text of any value, for messages.
  toPretty = options: value:
    let go = depth: v:
      if builtins.isFunction v then "<function>"
      else if isDerivation v then "<derivation ${v.name or "?"}>"
      else if depth > 8 then "…"
      else if isList v then "[ ${concatMapStrings (x: "${go (depth + 1) x} ") v}]"
      else if isAttrs v then "{ ${concatMapStrings (n: "${n} = ${go (depth + 1) v.${n}}; ") (builtins.attrNames v)}}"
      else if isString v then lib.escapeNixString v
      else if builtins.isPath v then toString v
      else builtins.toJSON v;
    in go 0 value;
}
