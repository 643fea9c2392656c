# The module rules of nixpkgs: what a module is, which definitions count, and how they meet.
# Conditions are pushed down to the keys without looking at them, so that a module may read `config`.
{ lib }:
let
  inherit (builtins)
    attrNames concatMap concatStringsSep elem filter foldl' genericClosure head isAttrs isPath isString
    length mapAttrs removeAttrs sort tail zipAttrsWith
    ;
  inherit (lib) imap1 isDerivation isFunction isOption reverseList types;

  # ── Properties ──────────────────────────────────────────────────────────────────────────────
  mkIf = condition: content: { _type = "if"; inherit condition content; };
  mkMerge = contents: { _type = "merge"; inherit contents; };
  mkOverride = priority: content: { _type = "override"; inherit priority content; };
  mkOrder = priority: content: { _type = "order"; inherit priority content; };
  isProperty = kind: value: isAttrs value && (value._type or null) == kind;
  defaultOverridePriority = 100;
  defaultOrderPriority = 1000;

  # The attribute sets below a definition's properties, each key carrying the properties itself.
  pushDown = value:
    if isProperty "merge" value then concatMap pushDown value.contents
    else if isProperty "if" value then map (mapAttrs (_: mkIf value.condition)) (pushDown value.content)
    else if isProperty "override" value then map (mapAttrs (_: mkOverride value.priority)) (pushDown value.content)
    else [ value ];

  # The values below a definition's properties, conditions unread.
  contents = value:
    if isProperty "merge" value then concatMap contents value.contents
    else if isProperty "if" value || isProperty "override" value || isProperty "order" value then contents value.content
    else [ value ];

  # The values that a definition gives, conditions read; overrides and orders are kept.
  discharge = value:
    if isProperty "merge" value then concatMap discharge value.contents
    else if isProperty "if" value then
      if value.condition == true then discharge value.content
      else if value.condition == false then [ ]
      else throw "`mkIf' called with a non-Boolean condition"
    else [ value ];

  # ── Messages ────────────────────────────────────────────────────────────────────────────────
  showName = name: if builtins.match "[a-zA-Z_<\\*][a-zA-Z0-9_'>\\*-]*" name != null then name else lib.escapeNixString name;
  showOption = loc: concatStringsSep "." (map showName loc);
  showDefinition = definition:
    let shown = builtins.tryEval (lib.generators.toPretty { } definition.value); in
    "\n- In `${definition.file}'${if shown.success then ": ${shown.value}" else ""}";
  showDefinitions = lib.concatMapStrings showDefinition;

  # ── Definitions of one option ───────────────────────────────────────────────────────────────
  # What remains of the definitions `{ file, value }` by condition, priority and order.
  winning = definitions:
    let
      given = concatMap (d: map (value: { inherit (d) file; inherit value; }) (discharge d.value)) definitions;
      priorityOf = d: if isProperty "override" d.value then d.value.priority else defaultOverridePriority;
      best = foldl' (least: d: lib.min least (priorityOf d)) 9999 given;
      kept = map (d: if isProperty "override" d.value then d // { value = d.value.content; } else d)
        (filter (d: priorityOf d == best) given);
      orderOf = d: if isProperty "order" d.value then d.value.priority else defaultOrderPriority;
      ordered = map (d: if isProperty "order" d.value then d // { value = d.value.content; } else d)
        (sort (a: b: orderOf a < orderOf b) kept);
    in
    { values = if lib.any (d: isProperty "order" d.value) kept then ordered else kept; priority = best; };

  # The merged value of definitions by a type: `{ isDefined, value, … }`, the value lazy.
  mergeDefinitions = loc: type: definitions:
    let
      won = winning definitions;
      wrong = filter (d: !type.check d.value) won.values;
    in
    rec {
      isDefined = won.values != [ ];
      highestPrio = won.priority;
      inherit (won) values;
      optional = if isDefined then [ value ] else [ ];
      value =
        if !isDefined then throw "The option `${showOption loc}' was accessed but has no value defined. Try setting the option."
        else if wrong != [ ] then
          throw "A definition for option `${showOption loc}' is not of type `${type.description}'. Definition values:${showDefinitions wrong}"
        else type.merge loc won.values;
    };

  # The one option that several declarations `{ file, value }` make; only submodules can be extended.
  declareOnce = loc: declarations:
    foldl' (a: b:
      let
        both = types.extend (a.value.type or null) (b.value.type or null);
        twice = filter (key: a.value ? ${key} && b.value ? ${key}) [ "default" "apply" ];
      in
      if !isOption b.value || !isOption a.value || both == null || twice != [ ] then
        throw "The option `${showOption loc}' in `${b.file}' is already declared in `${a.file}'."
      else { file = a.file; value = a.value // b.value // { type = both; }; })
      (head declarations) (tail declarations);

  evalOption = loc: declarations: definitions:
    let
      declared = declareOnce loc declarations;
      option = declared.value;
      type = option.type or types.unspecified;
      default = lib.optional (option ? default) { inherit (declared) file; value = mkOverride 1500 option.default; };
      merged = mergeDefinitions loc type (default ++ definitions);
      value = (option.apply or (x: x)) merged.value;
    in
    option // {
      _type = "option";
      inherit loc type;
      inherit (merged) isDefined highestPrio;
      value =
        if (option.readOnly or false) && length merged.values > 1 then
          throw "The option `${showOption loc}' is read-only, but it's set multiple times. Definition values:${showDefinitions merged.values}"
        else value;
      declarations = map (d: d.file) declarations;
      definitions = map (d: d.value) merged.values;
      definitionsWithLocations = merged.values;
      files = map (d: d.file) merged.values;
    };

  # ── The tree of options ─────────────────────────────────────────────────────────────────────
  # Groups the keys of attribute sets `{ file, value }` by name.
  byName = sets: zipAttrsWith (_: found: found) (map (s: mapAttrs (_: value: { inherit (s) file; inherit value; }) s.value) sets);

  # One level: `config`, `options`, and `given`, the config without what nobody defined.
  # `freeform` is the type of this level where nothing is declared, or null.
  level = { loc, declarations, definitions, freeform }:
    let
      declared = byName declarations;
      sets = concatMap (d: map (value:
        if isAttrs value then { inherit (d) file; inherit value; }
        else throw "The option `${showOption loc}' is a set of options, but its definition in `${d.file}' is none.") (pushDown d.value)) definitions;
      defined = byName sets;

      known = mapAttrs (name: found:
        let here = loc ++ [ name ]; here' = defined.${name} or [ ]; in
        if lib.any (d: isOption d.value) found then
          let option = evalOption here found here'; in
          { config = option.value; options = option; given = lib.optional option.isDefined option.value; }
        else nested (level { loc = here; declarations = found; definitions = here'; freeform = freeform.elem or null; })) declared;

      nested = below: { inherit (below) config options; given = [ below.given ]; };
      free = mapAttrs (name: found:
        let
          here = loc ++ [ name ];
          leaf = mergeDefinitions here (freeform.elem or types.unspecified) found;
          values = concatMap (d: contents d.value) found;
        in
        if freeform == null then throw "The option `${showOption here}' does not exist. Definition values:${showDefinitions found}"
        else if freeform.name == "free" && lib.all isPlainSet values then
          nested (level { loc = here; declarations = [ ]; definitions = found; inherit freeform; })
        else { config = leaf.value; options = { }; given = leaf.optional; }) (removeAttrs defined (attrNames declared));

      # A typed freeform set loses the keys whose conditions are all false; a free one keeps its
      # keys, because nothing may be read before they are known.
      kept = if freeform == null || freeform.name == "free" then free else lib.filterAttrs (_: node: node.given != [ ]) free;
      nodes = known // kept;
    in
    builtins.seq (if freeform == null then lib.all (node: node ? config) (builtins.attrValues free) else null) {
      config = mapAttrs (_: node: node.config) nodes;
      options = mapAttrs (_: node: node.options) known;
      given = mapAttrs (_: node: head node.given) (lib.filterAttrs (_: node: node.given != [ ]) nodes);
    };

  isPlainSet = value: isAttrs value && !isDerivation value && !(value ? _type) && !(value ? outPath) && !isFunction value;

  # ── Modules ─────────────────────────────────────────────────────────────────────────────────
  about = [ "_class" "_file" "key" "disabledModules" "imports" "freeformType" ];

  # A module as a record of what it imports, declares and defines.
  load = call: { key, file, module }:
    let
      body = if isFunction module then call module else module;
      stray = attrNames (removeAttrs body (about ++ [ "options" "config" "meta" ]));
      explicit = body ? config || body ? options;
    in
    if !isAttrs body then throw "Module `${file}' does not look like a module."
    else if explicit && stray != [ ] then
      throw "Module `${file}' has an unsupported attribute `${head stray}'. Beside `config' and `options' a module has no other values: put it into `config'."
    else {
      key = builtins.unsafeDiscardStringContext (toString (body.key or key));
      file = toString (body._file or file);
      imports = body.imports or [ ];
      disabled = body.disabledModules or [ ];
      options = body.options or { };
      config = if explicit then body.config or { } else removeAttrs body about;
      freeformType = body.freeformType or null;
    };

  # Every module once, by its key: those imported later, and deeper, first.
  collect = call: root: modules:
    let
      entries = owner: imap1 (n: module: load call (
        if isPath module || isString module then { key = toString module; file = toString module; module = import module; }
        else { key = "${owner.key}:anon-${toString n}"; inherit (owner) file; inherit module; }));
      found = genericClosure {
        startSet = entries { key = root; file = "<unknown-file>"; } modules;
        operator = module: entries module module.imports;
      };
      disabled = map toString (concatMap (module: module.disabled) found);
    in
    reverseList (filter (module: !elem module.key disabled) found);

  own = {
    _file = "<the module rules>";
    key = "<the module rules>";
    options._module.args = lib.mkOption { type = types.lazyAttrsOf types.raw; default = { }; };
  };

  # Evaluates modules to `{ config, options, given }`.
  evalModules = { modules, specialArgs ? { }, prefix ? [ ], freeformType ? null, class ? null }:
    let
      named = { inherit lib; inherit (result) config options; _class = class; } // specialArgs;
      call = f: f (mapAttrs (name: _: named.${name} or result.config._module.args.${name}) (lib.functionArgs f) // named);
      loaded = collect call (showOption prefix) ([ own ] ++ modules);
      types' = filter (type: type != null) (map (module: module.freeformType) loaded);
      result = level {
        loc = prefix;
        declarations = map (module: { inherit (module) file; value = module.options; }) loaded;
        definitions = map (module: { inherit (module) file; value = module.config; }) loaded;
        freeform = if types' == [ ] then freeformType else head types';
      };
    in
    result // { _type = "configuration"; type = types.submodule { imports = modules; }; };

  # ── Renamed options ─────────────────────────────────────────────────────────────────────────
  mkAlias = warning: from: to: { config, options, ... }: {
    options = lib.setAttrByPath from (lib.mkOption { type = types.unspecified; apply = _: lib.getAttrFromPath to config; });
    config = let option = lib.getAttrFromPath from options; in mkMerge [
      (lib.optionalAttrs warning { warnings = lib.optional option.isDefined "The option `${showOption from}' has been renamed to `${showOption to}'."; })
      (lib.setAttrByPath to (mkIf option.isDefined (mkMerge (map (mkOverride option.highestPrio) option.definitions))))
    ];
  };
in
{
  inherit mkIf mkMerge mkOverride mkOrder evalModules mergeDefinitions showOption showDefinitions defaultOverridePriority;
  mkDefault = mkOverride 1000;
  mkOptionDefault = mkOverride 1500;
  mkForce = mkOverride 50;
  mkImageMediaOverride = mkOverride 60;
  mkVMOverride = mkOverride 10;
  mkBefore = mkOrder 500;
  mkAfter = mkOrder 1500;
  mkRenamedOptionModule = mkAlias true;
  mkAliasOptionModule = mkAlias false;
  mkRemovedOptionModule = path: why: { options, ... }: {
    options = lib.setAttrByPath path (lib.mkOption { type = types.unspecified; visible = false; });
    config.assertions = let option = lib.getAttrFromPath path options; in [{
      assertion = !option.isDefined;
      message = "The option definition `${showOption path}' in ${lib.showFiles option.files} no longer has any effect; please remove it.\n${why}";
    }];
  };
  setDefaultModuleLocation = file: module: { _file = file; imports = [ module ]; };
}
