# The part of nixpkgs' `lib` that configurations use, with the meaning it has there.
let
  inherit (builtins)
    attrNames concatLists concatMap concatStringsSep elem elemAt filter foldl' functionArgs genList
    head isAttrs isFunction isList isString length listToAttrs map mapAttrs match replaceStrings
    stringLength substring tail toJSON toString
    ;

  lib = rec {
    inherit (builtins)
      add all any attrNames attrValues bitAnd bitOr catAttrs ceil compareVersions concatLists concatMap
      concatStringsSep deepSeq elem elemAt filter floor foldl' fromJSON genList genericClosure getAttr
      groupBy hasAttr head intersectAttrs isAttrs isBool isFloat isInt isList isString
      length lessThan listToAttrs mapAttrs match mul parseDrvName partition pathExists readDir readFile
      removeAttrs replaceStrings seq sort split splitVersion stringLength sub substring tail toJSON
      toString trace tryEval typeOf unsafeDiscardStringContext unsafeGetAttrPos zipAttrsWith
      ;
    inherit lib;

    # Functions and values
    id = x: x;
    const = x: _: x;
    pipe = foldl' (value: f: f value);
    flip = f: a: b: f b a;
    min = a: b: if a < b then a else b;
    max = a: b: if a > b then a else b;
    mod = a: b: a - b * (a / b);
    boolToString = b: if b then "true" else "false";
    boolToYesNo = b: if b then "yes" else "no";
    isFunction = f: builtins.isFunction f || (f ? __functor && isFunction (f.__functor f));
    functionArgs = f: f.__functionArgs or (if f ? __functor then functionArgs (f.__functor f) else builtins.functionArgs f);
    setFunctionArgs = f: args: { __functor = _: f; __functionArgs = args; };
    toFunction = v: if isFunction v then v else (_: v);
    fix = f: let x = f x; in x;
    composeExtensions = f: g: final: prev: let first = f final prev; in first // g final (prev // first);
    composeManyExtensions = foldr composeExtensions (_: _: { });
    throwIf = bad: message: if bad then throw message else id;
    throwIfNot = good: throwIf (!good);
    assertMsg = good: message: good || throw message;
    warn = message: value: builtins.trace "warning: ${message}" value;
    warnIf = condition: message: if condition then warn message else id;
    warnIfNot = condition: warnIf (!condition);
    info = message: value: builtins.trace "INFO: ${message}" value;
    importJSON = path: builtins.fromJSON (builtins.readFile path);
    importTOML = path: builtins.fromTOML (builtins.readFile path);
    trivial = { inherit release; codeName = "StandIn"; versionSuffix = ".stand-in"; inherit version; };
    release = fileContents ./.version;
    version = "${release}.stand-in";
    versions.majorMinor = v: concatStringsSep "." (take 2 (builtins.splitVersion v));
    versionOlder = a: b: builtins.compareVersions b a == 1;
    versionAtLeast = a: b: !versionOlder a b;

    # Lists
    singleton = x: [ x ];
    optional = condition: x: if condition then [ x ] else [ ];
    optionals = condition: list: if condition then list else [ ];
    toList = x: if isList x then x else [ x ];
    forEach = list: f: map f list;
    imap0 = f: list: genList (n: f n (elemAt list n)) (length list);
    imap1 = f: imap0 (n: f (n + 1));
    range = first: last: genList (n: first + n) (max 0 (last - first + 1));
    reverseList = list: genList (n: elemAt list (length list - n - 1)) (length list);
    foldl = foldl';
    foldr = f: start: list: foldl' (rest: x: f x rest) start (reverseList list);
    flatten = x: if isList x then concatMap flatten x else [ x ];
    remove = x: filter (y: y != x);
    unique = foldl' (seen: x: if elem x seen then seen else seen ++ [ x ]) [ ];
    allUnique = list: unique list == list;
    subtractLists = drop: filter (x: !elem x drop);
    intersectLists = a: filter (x: elem x a);
    take = n: list: genList (elemAt list) (min n (length list));
    drop = n: list: genList (i: elemAt list (n + i)) (max 0 (length list - n));
    sublist = start: count: list: take count (drop start list);
    last = list: elemAt list (length list - 1);
    init = list: take (length list - 1) list;
    findFirst = test: default: list: let hits = filter test list; in if hits == [ ] then default else head hits;
    count = test: list: length (filter test list);
    sortOn = f: builtins.sort (a: b: f a < f b);
    zipListsWith = f: a: b: genList (n: f (elemAt a n) (elemAt b n)) (min (length a) (length b));
    zipLists = zipListsWith (fst: snd: { inherit fst snd; });
    mergeAttrsList = foldl' (a: b: a // b) { };
    naturalSort = builtins.sort (a: b: builtins.compareVersions a b < 0);

    # Attribute sets
    nameValuePair = name: value: { inherit name value; };
    optionalAttrs = condition: set: if condition then set else { };
    genAttrs = names: f: listToAttrs (map (name: nameValuePair name (f name)) names);
    genAttrs' = list: f: listToAttrs (map f list);
    mapAttrs' = f: set: listToAttrs (map (name: f name set.${name}) (attrNames set));
    mapAttrsToList = f: set: map (name: f name set.${name}) (attrNames set);
    concatMapAttrs = f: set: mergeAttrsList (mapAttrsToList f set);
    attrsToList = mapAttrsToList nameValuePair;
    filterAttrs = keep: set: removeAttrs set (filter (name: !keep name set.${name}) (attrNames set));
    attrByPath = path: default: set:
      if path == [ ] then set
      else if isAttrs set && set ? ${head path} then attrByPath (tail path) default set.${head path}
      else default;
    hasAttrByPath = path: set: path == [ ] || (isAttrs set && set ? ${head path} && hasAttrByPath (tail path) set.${head path});
    getAttrFromPath = path: attrByPath path (throw "cannot find attribute `${concatStringsSep "." path}'");
    setAttrByPath = path: value: if path == [ ] then value else { ${head path} = setAttrByPath (tail path) value; };
    attrVals = names: set: map (name: set.${name}) names;
    getAttrs = names: set: genAttrs names (name: set.${name});
    foldlAttrs = f: start: set: foldl' (acc: name: f acc name set.${name}) start (attrNames set);
    zipAttrs = builtins.zipAttrsWith (_: values: values);
    cartesianProduct = foldlAttrs (rows: name: values: concatMap (row: map (v: row // { ${name} = v; }) values) rows) [ { } ];
    recursiveUpdateUntil = stop: a: b:
      let go = path: builtins.zipAttrsWith (name: values:
        let here = path ++ [ name ]; in
        if length values == 1 || stop here (elemAt values 1) (head values) then head values
        else go here values);
      in go [ ] [ b a ];
    recursiveUpdate = recursiveUpdateUntil (_: a: b: !(isAttrs a && isAttrs b));
    updateManyAttrsByPath = updates: set: foldl' (acc: u:
      recursiveUpdateUntil (path: _: _: path == u.path) acc (setAttrByPath u.path (u.update (attrByPath u.path null acc)))) set updates;
    mapAttrsRecursiveCond = descend: f:
      let go = path: mapAttrs (name: v: if isAttrs v && descend v then go (path ++ [ name ]) v else f (path ++ [ name ]) v);
      in go [ ];
    mapAttrsRecursive = mapAttrsRecursiveCond (_: true);
    collect = test: v: if test v then [ v ] else if isAttrs v then concatMap (collect test) (builtins.attrValues v) else [ ];
    isDerivation = v: isAttrs v && (v.type or null) == "derivation";
    isStorePath = v: isStringLike v && match "${builtins.storeDir}/[^/]+" (toString v) != null;
    isStringLike = v: isString v || builtins.isPath v || v ? outPath || v ? __toString;
    isPath = builtins.isPath;
    getOutput = output: package: package.${output} or package.out or package;
    getBin = getOutput "bin";
    getLib = getOutput "lib";
    getDev = getOutput "dev";
    getMan = getOutput "man";
    makeBinPath = packages: makeSearchPath "bin" (map getBin packages);
    makeLibraryPath = packages: makeSearchPath "lib" (map getLib packages);
    makeSearchPath = sub: packages: concatStringsSep ":" (map (p: "${p}/${sub}") packages);
    getName = p: p.pname or (builtins.parseDrvName (p.name or p)).name;
    getVersion = p: p.version or (builtins.parseDrvName (p.name or p)).version;
    getExe' = package: program: "${getBin package}/bin/${program}";
    getExe = package: getExe' package (package.meta.mainProgram or (getName package));
    makeOverridable = f: args: f args // { override = change: makeOverridable f (args // (if isFunction change then change args else change)); };
    dontRecurseIntoAttrs = id;
    recurseIntoAttrs = id;
    hiPrio = id;
    lowPrio = id;
    licenses = genAttrs [ "mit" "asl20" "gpl3Plus" "gpl2Only" "bsd3" "unfree" ] (spdxId: { inherit spdxId; });
    platforms = genAttrs [ "linux" "all" "unix" ] (_: [ ]);
    maintainers = { };

    # Strings
    optionalString = condition: text: if condition then text else "";
    concatStrings = concatStringsSep "";
    concatMapStrings = f: list: concatStrings (map f list);
    concatMapStringsSep = separator: f: list: concatStringsSep separator (map f list);
    concatImapStringsSep = separator: f: list: concatStringsSep separator (imap1 f list);
    concatMapAttrsStringSep = separator: f: set: concatStringsSep separator (mapAttrsToList f set);
    concatLines = concatMapStrings (line: "${line}\n");
    replicate = n: x: genList (_: x) n;
    strings = lib;
    lists = lib;
    attrsets = lib;
    stringToCharacters = text: genList (n: substring n 1 text) (stringLength text);
    splitString = separator: text: filter isString (builtins.split (escapeRegex separator) text);
    escape = chars: replaceStrings chars (map (c: "\\${c}") chars);
    escapeRegex = escape (stringToCharacters "\\[{()^$?*+|.");
    escapeShellArg = value: let text = toString value; in
      if match "[[:alnum:],._+:@%/-]+" text != null then text else "'${replaceStrings [ "'" ] [ "'\\''" ] text}'";
    escapeShellArgs = concatMapStringsSep " " escapeShellArg;
    escapeSystemdPath = text: let plain = replaceStrings [ "-" "/" " " ] [ "\\x2d" "-" "\\x20" ] (removePrefix "/" (removeSuffix "/" text)); in
      if plain == "" then "-" else plain;
    escapeNixString = text: replaceStrings [ "$" ] [ "\\$" ] (toJSON text);
    escapeXML = replaceStrings [ "&" "<" ">" "\"" "'" ] [ "&amp;" "&lt;" "&gt;" "&quot;" "&apos;" ];
    hasPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
    hasSuffix = suffix: text: stringLength text >= stringLength suffix
      && substring (stringLength text - stringLength suffix) (-1) text == suffix;
    hasInfix = infix: text: match ".*${escapeRegex infix}.*" text != null || length (splitString infix text) > 1;
    removePrefix = prefix: text: if hasPrefix prefix text then substring (stringLength prefix) (-1) text else text;
    removeSuffix = suffix: text: if hasSuffix suffix text then substring 0 (stringLength text - stringLength suffix) text else text;
    lower = "abcdefghijklmnopqrstuvwxyz";
    upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    toLower = replaceStrings (stringToCharacters upper) (stringToCharacters lower);
    toUpper = replaceStrings (stringToCharacters lower) (stringToCharacters upper);
    toSentenceCase = text: toUpper (substring 0 1 text) + toLower (substring 1 (-1) text);
    trim = text: let hit = match "[[:space:]]*(.*[^[:space:]])[[:space:]]*" text; in if hit == null then "" else head hit;
    fixedWidthString = width: fill: text: concatStrings (genList (_: fill) (max 0 (width - stringLength text))) + text;
    fixedWidthNumber = width: n: fixedWidthString width "0" (toString n);
    toInt = text: let hit = match "[[:space:]]*0*(-?[0-9]+)[[:space:]]*" text; in
      if hit == null then throw "toInt: could not convert ${toJSON text} to int." else builtins.fromJSON (head hit);
    nameFromURL = url: separator: head (splitString separator (last (splitString "/" url)));
    sanitizeDerivationName = text: concatMapStrings (part: if isString part then part else "-") (builtins.split "[^[:alnum:]+._?=-]+" text);
    sourceFilesBySuffices = path: _: path;
    cleanSource = path: path;
    fileContents = file: removeSuffix "\n" (builtins.readFile file);
    isInOldestRelease = _: true;

    generators = import ./generators.nix { inherit lib; };
    cli.toGNUCommandLineShell = options: set: escapeShellArgs (cli.toGNUCommandLine options set);
    cli.toGNUCommandLine = _: set: concatLists (mapAttrsToList (name: value:
      let flag = if stringLength name == 1 then "-${name}" else "--${name}"; in
      if value == true then [ flag ] else if value == null || value == false then [ ]
      else concatMap (v: [ flag (toString v) ]) (toList value)) set);

    # Modules and options
    modules = import ./modules.nix { inherit lib; };
    types = import ./types.nix { inherit lib; };
    options = lib;
    inherit (modules)
      defaultOverridePriority evalModules mkAfter mkAliasOptionModule mkBefore mkDefault mkForce mkIf mkImageMediaOverride
      mkMerge mkOptionDefault mkOrder mkOverride mkRemovedOptionModule mkRenamedOptionModule mkVMOverride setDefaultModuleLocation
      showOption
      ;
    inherit (types) isOptionType;
    mkOption = option: option // { _type = "option"; };
    isOption = v: (v._type or null) == "option";
    isType = kind: v: (v._type or null) == kind;
    mkEnableOption = what: mkOption { type = types.bool; default = false; example = true; description = "Whether to enable ${toString what}."; };
    mkPackageOption = pkgs: name: { nullable ? false, default ? name, example ? null, extraDescription ? "", pkgsText ? "pkgs" }:
      mkOption ({
        type = if nullable then types.nullOr types.package else types.package;
        description = "The ${toString name} package to use.";
      } // optionalAttrs (default != null) { default = getAttrFromPath (toList default) pkgs; });
    mkSinkUndeclaredOptions = attrs: mkOption ({ type = types.anything; apply = _: throw "option value is not readable"; } // attrs);
    literalExpression = text: { _type = "literalExpression"; inherit text; };
    literalMD = text: { _type = "literalMD"; inherit text; };
    mdDoc = id;
    showFiles = concatMapStringsSep " and " (file: "`${file}'");
  };
in
lib
