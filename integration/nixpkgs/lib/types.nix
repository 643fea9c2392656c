# Types of options: which values fit, and how several definitions become one value.
{ lib }:
let
  inherit (builtins) all any concatLists head isAttrs isBool isFloat isInt isList isString length mapAttrs match substring tail toJSON;
  inherit (lib) concatMapStringsSep evalModules imap1 isDerivation isFunction isStorePath isStringLike last;
  inherit (lib.modules) mergeDefinitions showDefinitions showOption;

  conflict = loc: definitions: throw "The option `${showOption loc}' has conflicting definition values:${showDefinitions definitions}";
  values = map (d: d.value);

  mergeOne = loc: definitions:
    if length definitions == 1 then (head definitions).value
    else throw "The option `${showOption loc}' is defined multiple times while it's expected to be unique. Definition values:${showDefinitions definitions}";
  mergeEqual = loc: definitions:
    if all (v: v == head (values definitions)) (values definitions) then head (values definitions) else conflict loc definitions;

  # A type: `elem` is the type of what it holds, `modules` those of a submodule, `rebuild` makes it of another `elem`.
  type = { name, description ? name, check ? _: true, merge ? mergeEqual, ... }@given:
    { _type = "option-type"; inherit name description check merge; } // given;

  plain = name: description: check: type { inherit name description check; };

  texts = separator: type {
    name = "separatedString";
    description = if separator == "" then "Concatenated string" else "strings concatenated with ${toJSON separator}";
    check = isString;
    merge = _: definitions: builtins.concatStringsSep separator (values definitions);
  };

  integer = low: high: description: plain "int" description (v: isInt v && (low == null || v >= low) && (high == null || v <= high));
  unsigned = bits: high: integer 0 high "${toString bits} bit unsigned integer; between 0 and ${toString high} (both inclusive)";
  signed = bits: half: integer (-half) (half - 1) "${toString bits} bit signed integer; between ${toString (-half)} and ${toString (half - 1)} (both inclusive)";

  # Elements of a list, each merged by the element's type; those whose condition is false are dropped.
  mergeList = elem: loc: definitions: concatLists (concatLists (imap1 (n: d: imap1 (m: value:
    (mergeDefinitions (loc ++ [ "[definition ${toString n}-entry ${toString m}]" ]) elem [{ inherit (d) file; inherit value; }]).optional)
    d.value) definitions));

  zip = elem: loc: definitions: builtins.zipAttrsWith (name: found: mergeDefinitions (loc ++ [ name ]) elem found)
    (map (d: mapAttrs (_: value: { inherit (d) file; inherit value; }) d.value) definitions);

  # What merges attribute sets key by key, concatenates lists, and otherwise wants equal values.
  tree = name: description: listsMeet: type {
    inherit name description;
    merge = loc: definitions:
      let vs = values definitions; self = tree name description listsMeet; in
      if length vs == 1 && !isAttrs (head vs) && !isList (head vs) then head vs
      else if all (v: isAttrs v && !isDerivation v && !(v ? __toString) && !(v ? outPath)) vs then (attrsOf self).merge loc definitions
      else if listsMeet && all isList vs then mergeList self loc definitions
      else if length vs > 1 && all isFunction vs then x: self.merge (loc ++ [ "<function body>" ]) (map (d: d // { value = d.value x; }) definitions)
      else if any isDerivation vs then mergeOne loc definitions
      else mergeEqual loc definitions;
  };

  attrsOf = elem: type {
    name = "attrsOf";
    description = "attribute set of ${elem.description}";
    check = isAttrs;
    inherit elem;
    rebuild = attrsOf;
    merge = loc: definitions: mapAttrs (_: m: m.value) (lib.filterAttrs (_: m: m.isDefined) (zip elem loc definitions));
  };

  submoduleWith = { modules, specialArgs ? { }, shorthandOnlyDefinesConfig ? false, description ? "submodule", class ? null }: type {
    name = "submodule";
    inherit description modules;
    check = v: isAttrs v || isFunction v || builtins.isPath v || isString v && substring 0 1 v == "/";
    rebuild = modules: submoduleWith { inherit modules specialArgs shorthandOnlyDefinesConfig description class; };
    merge = loc: definitions:
      let
        given = map (d:
          if isAttrs d.value && shorthandOnlyDefinesConfig then { _file = d.file; config = d.value; }
          else lib.setDefaultModuleLocation d.file d.value) definitions;
      in
      removeAttrs (evalModules {
        modules = modules ++ [{ _file = "<the module rules>"; _module.args.name = last loc; }] ++ given;
        inherit specialArgs class;
        prefix = loc;
      }).config [ "_module" ];
    getSubOptions = prefix: (evalModules { inherit modules specialArgs prefix; }).options;
  };

  addCheck = base: check: base // { check = v: base.check v && check v; };
in
rec {
  inherit attrsOf submoduleWith addCheck;
  isOptionType = v: (v._type or null) == "option-type";
  isType = kind: v: (v._type or null) == kind;
  mkOptionType = type;

  # The type of an option declared twice: its own, or both submodules in one, or null.
  extend = a: b:
    if a == null || b == null then (if a == null then b else a)
    else if a.name != b.name then null
    else if a ? modules then a.rebuild (a.modules ++ b.modules)
    else if a ? elem && a ? rebuild then let elem = extend a.elem b.elem; in if elem == null then null else a.rebuild elem
    else if a.description == b.description then a else null;

  raw = type { name = "raw"; description = "raw value"; merge = mergeOne; };
  anything = tree "anything" "anything" false;
  # For what nobody declared: keys are merged lazily, level by level.
  free = tree "free" "anything" true // { elem = free; };
  unspecified = type {
    name = "unspecified";
    description = "unspecified value";
    merge = loc: definitions:
      let vs = values definitions; in
      if length vs == 1 then head vs
      else if all isList vs then concatLists vs
      else if all isAttrs vs then builtins.foldl' lib.recursiveUpdate { } vs
      else if all isBool vs then any lib.id vs
      else if all isString vs then lib.concatStrings vs
      else conflict loc definitions;
  };
  attrs = type { name = "attrs"; description = "attribute set"; check = isAttrs; merge = _: definitions: builtins.foldl' (a: b: b // a) { } (values definitions); };

  bool = plain "bool" "boolean" isBool;
  boolByOr = type { name = "boolByOr"; description = "boolean (merged using or)"; check = isBool; merge = _: definitions: any lib.id (values definitions); };
  int = integer null null "signed integer";
  ints = {
    u8 = unsigned 8 255;
    u16 = unsigned 16 65535;
    u32 = unsigned 32 4294967295;
    s8 = signed 8 128;
    s16 = signed 16 32768;
    s32 = signed 32 2147483648;
    unsigned = integer 0 null "unsigned integer, meaning >=0";
    positive = integer 1 null "positive integer, meaning >0";
    between = low: high: integer low high "integer between ${toString low} and ${toString high} (both inclusive)";
  };
  port = ints.u16;
  float = plain "float" "floating point number" isFloat;
  number = either int float;
  numbers = { inherit (ints) between positive; nonnegative = addCheck number (v: v >= 0); };

  str = plain "str" "string" isString;
  singleLineStr = strMatching "[^\n\r]*\n?" // { description = "(optionally newline-terminated) single-line string"; };
  nonEmptyStr = addCheck str (v: match "[[:space:]]*" v == null) // { description = "non-empty string"; };
  strMatching = pattern: plain "strMatching" "string matching the pattern ${pattern}" (v: isString v && match pattern v != null);
  passwdEntry = base: addCheck base (v: !(lib.hasInfix ":" (toString v)) && !(lib.hasInfix "\n" (toString v))) // {
    description = "${base.description}, not containing newlines or colons";
  };
  separatedString = texts;
  lines = texts "\n";
  commas = texts ",";
  envVar = texts ":";
  path = plain "path" "absolute path" (v: isStringLike v && substring 0 1 (toString v) == "/");
  pathInStore = plain "pathInStore" "path in the Nix store" (v: isStringLike v && lib.hasPrefix builtins.storeDir (toString v));
  externalPath = path;
  pathWith = _: path;
  package = type {
    name = "package";
    check = v: isDerivation v || isStorePath v;
    merge = mergeOne;
  };
  shellPackage = addCheck package (v: v ? shellPath) // { description = "shell package"; };
  enum = members: plain "enum" "one of ${concatMapStringsSep ", " (v: if isString v then toJSON v else lib.generators.toPretty { } v) members}" (v: builtins.elem v members);
  functionTo = elem: type {
    name = "functionTo";
    description = "function that evaluates to a(n) ${elem.description}";
    check = isFunction;
    merge = loc: definitions: x: (mergeDefinitions (loc ++ [ "<function body>" ]) elem (map (d: d // { value = d.value x; }) definitions)).value;
  };
  deferredModule = type {
    name = "deferredModule";
    description = "module";
    check = v: isAttrs v || isFunction v || path.check v;
    merge = _: definitions: { imports = map (d: lib.setDefaultModuleLocation d.file d.value) definitions; };
  };
  deferredModuleWith = { staticModules ? [ ] }: deferredModule // { merge = loc: definitions: { imports = staticModules ++ [ (deferredModule.merge loc definitions) ]; }; };
  optionType = plain "optionType" "optionType" isOptionType;

  nullOr = elem: type {
    name = "nullOr";
    description = "null or ${elem.description}";
    inherit elem;
    rebuild = nullOr;
    check = v: v == null || elem.check v;
    merge = loc: definitions:
      if all (v: v == null) (values definitions) then null
      else if any (v: v == null) (values definitions) then
        throw "The option `${showOption loc}` is defined both null and not null, in ${lib.showFiles (map (d: d.file) definitions)}."
      else elem.merge loc definitions;
  };
  listOf = elem: type {
    name = "listOf";
    description = "list of ${elem.description}";
    check = isList;
    inherit elem;
    rebuild = listOf;
    merge = mergeList elem;
  };
  nonEmptyListOf = elem: addCheck (listOf elem) (v: v != [ ]) // { description = "non-empty list of ${elem.description}"; };
  attrsWith = { elemType, lazy ? false, ... }: (if lazy then lazyAttrsOf else attrsOf) elemType;
  lazyAttrsOf = elem: attrsOf elem // {
    name = "lazyAttrsOf";
    description = "lazy attribute set of ${elem.description}";
    rebuild = lazyAttrsOf;
    merge = loc: definitions: mapAttrs (_: m: m.value) (zip elem loc definitions);
  };
  submodule = modules: submoduleWith { modules = lib.toList modules; shorthandOnlyDefinesConfig = true; };
  either = a: b: type {
    name = "either";
    description = "${a.description} or ${b.description}";
    check = v: a.check v || b.check v;
    merge = loc: definitions:
      if all a.check (values definitions) then a.merge loc definitions
      else if all b.check (values definitions) then b.merge loc definitions
      else mergeOne loc definitions;
  };
  oneOf = members: builtins.foldl' either (head members) (tail members);
  coercedTo = from: coerce: to: to // {
    name = "coercedTo";
    description = "${to.description} or ${from.description} convertible to it";
    check = v: if from.check v then to.check (coerce v) else to.check v;
    merge = loc: definitions: to.merge loc (map (d: if from.check d.value then d // { value = coerce d.value; } else d) definitions);
  };
  uniq = base: base // { merge = mergeOne; };
  unique = _: uniq;

  # Values that a format like JSON can hold; a set may be extended key by key.
  json = name: let self = type {
    inherit name;
    description = "${name} value";
    check = v: v == null || isBool v || isInt v || isFloat v || isString v || isStringLike v || isList v || (isAttrs v && !isFunction v);
    merge = (tree name "${name} value" true).merge;
    elem = self;
  }; in self;
}
