# Options of NixOS from the list of their names and types, as a module: a node is `children` by name, the
# one of `anyName`, the one of each `element`, and a `type`.
{ lib, tree, placeholder }:
let
  inherit (lib) types;

  # What the list cannot word: like what is around it, merged where that can be.
  anything = lib.mkOptionType {
    name = "anything";
    merge =
      loc: defs:
      let
        values = map (def: def.value) defs;
        isSet = value: lib.isAttrs value && !lib.isStringLike value;
      in
      if lib.all isSet values then
        (types.lazyAttrsOf anything).merge loc defs
      else if lib.all lib.isList values then
        (types.listOf anything).merge loc defs
      else if lib.all lib.isFunction values then
        lib.last values
      else
        lib.mergeEqualOption loc defs;
  };

  scalars = {
    inherit (types)
      bool
      float
      int
      package
      path
      str
      ;
    string = types.str;
    null = types.enum [ null ];
    function = anything;
    list = types.listOf anything;
  };

  submodule =
    node:
    types.submodule {
      freeformType = types.lazyAttrsOf anything;
      options = optionsOf node;
    };

  isDeclared = node: (node.children or { }) != { };

  typeOf =
    node:
    if node ? type then
      read node node.type
    else if isDeclared node then
      submodule node
    else if node ? anyName then
      types.attrsOf (typeOf node.anyName)
    else
      anything;

  read =
    node: type:
    {
      any = if isDeclared node then submodule node else anything;
      text = types.separatedString type.between;
      scalar = lib.foldl' types.either (scalars.${lib.head type.accepts}) (
        map (kind: scalars.${kind}) (lib.tail type.accepts)
      );
      list = types.listOf (if node ? element then typeOf node.element else read { } type.of);
      attrs = types.attrsOf (if node ? anyName then typeOf node.anyName else read { } type.of);
      submodule = submodule node;
      union = lib.foldl' types.either (read node (lib.head type.of)) (
        map (read node) (lib.tail type.of)
      );
    }
    .${type.kind};

  # What the list does not tell: the least of its kind.
  defaultOf =
    type:
    {
      any = { };
      text = "";
      scalar =
        {
          bool = false;
          float = 0.0;
          function = x: x;
          int = 0;
          list = [ ];
          null = null;
          package = placeholder;
          path = "/var/empty";
          str = "";
          string = "";
        }
        .${lib.head type.accepts};
      list = [ ];
      attrs = { };
      submodule = { };
      union = defaultOf (lib.head type.of);
    }
    .${type.kind};

  optionsOf = node: lib.mapAttrs (_: option) (node.children or { });

  option =
    node:
    if node ? type then
      lib.mkOption {
        type = typeOf node;
        default = defaultOf node.type;
      }
    else if node ? anyName then
      lib.mkOption {
        type = typeOf node;
        default = { };
      }
    else
      optionsOf node;
in
{
  options = optionsOf tree;
}
