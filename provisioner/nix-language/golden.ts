// biome-ignore-all lint/suspicious/noTemplateCurlyInString: in Nix texts the sign is the subject
import { type OptionAssignment, optionEntries } from "./option-set.ts";
import {
  attrs,
  bind,
  blank,
  bool,
  call,
  comment,
  float,
  functionOf,
  ifElse,
  importFile,
  inherit,
  int,
  interpolated,
  join,
  lambda,
  letIn,
  list,
  moduleOf,
  type NixExpr,
  nil,
  path,
  ref,
  select,
  str,
  withScope,
} from "./tree.ts";

/** A tree and the name of the file in `golden/` that holds its text. */
export interface GoldenCase {
  readonly name: string;
  readonly expr: NixExpr;
  readonly header?: string;
}

const lib = (name: string, ...args: readonly NixExpr[]): NixExpr => call(ref("lib", name), ...args);
const one = attrs([bind("a", int(1))]);
const two = attrs([bind("a", int(1)), bind("b", int(2))]);
const words = (...texts: readonly string[]): NixExpr => list(texts.map(str));
const long = "a-name-that-takes-a-good-part-of-the-line-for-itself";

const machine: readonly OptionAssignment[] = [
  { path: ["networking", "hostName"], value: str("kiosk-7") },
  { path: ["time", "timeZone"], value: str("Europe/Berlin") },
  { path: ["i18n", "defaultLocale"], value: str("de_DE.UTF-8") },
  { path: ["services", "openssh", "enable"], value: bool(true) },
  { path: ["services", "openssh", "settings", "PasswordAuthentication"], value: bool(false) },
  { path: ["services", "openssh", "settings", "X11Forwarding"], value: bool(false) },
  { path: ["services", "fwupd", "enable"], value: bool(true) },
  { path: ["networking", "firewall", "allowedTCPPorts"], value: list([int(22), int(443)]) },
  { path: ["users", "users", "alice", "isNormalUser"], value: bool(true) },
  { path: ["users", "users", "alice", "shell"], value: ref("pkgs", "zsh") },
  {
    path: ["users", "users", "alice", "openssh", "authorizedKeys", "keys"],
    value: words("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ4nGGmZ7mNqcFr9sVm8eBvO7R2Y alice@example"),
  },
  { path: ["users", "groups", "kiosk"], value: attrs([]) },
  {
    path: ["environment", "systemPackages"],
    value: withScope(ref("pkgs"), list([ref("vim"), ref("git")])),
    comment: "asked for by packages",
  },
  {
    path: ["environment", "etc", "motd", "text"],
    value: str("Welcome.\n\n  Costs ${nothing}.\n"),
  },
  { path: ["system", "stateVersion"], value: str("25.11") },
];

/** Every construct of the tree, alone and in the company it keeps in real modules. */
export const goldenCases: readonly GoldenCase[] = [
  {
    name: "machine",
    header: "Made by firstlight.\nChanges go into local.nix.",
    expr: moduleOf(
      ["config", "lib", "pkgs"],
      attrs([
        bind("imports", list([path("./network.nix"), path("./hardware.nix")])),
        blank,
        ...optionEntries(machine),
      ]),
    ),
  },
  {
    name: "values",
    expr: attrs([
      bind("nothing", nil),
      bind("yes", bool(true)),
      bind("zero", int(-0)),
      bind("negative", int(-5)),
      bind("highest", int(2n ** 63n - 1n)),
      bind("lowest", int(-(2n ** 63n))),
      bind("large", float(1e30)),
      bind("small", float(1.5e-7)),
      bind("minus", float(-0.25)),
      bind("whole", float(3)),
      bind("listed", list([int(-5), int(-(2n ** 63n)), float(-0.25), int(5)])),
      bind("text", str('a "quote", a \\, a ${x}, a $x, a $${x}')),
      bind("controls", str("tab\tcarriage return\rnewline\nend")),
      bind("unicode", str("größer, 🐧")),
      bind("empty", str("")),
    ]),
  },
  {
    name: "names",
    expr: attrs([
      ...["if", "or", "null", "", "a b", "${x}", 'quo"te', "7zip", "a.b", "a-b'c", "new\nline"].map(
        (name) => bind(name, int(1)),
      ),
      bind(["services", "a b", "${x}", "enable"], bool(true)),
    ]),
  },
  {
    name: "lists-and-sets",
    expr: attrs([
      bind("empty", list([])),
      bind("single", words("one")),
      bind("several", words("one", "two")),
      bind("nested", list([list([int(1)]), list([int(1), int(2)]), list([]), attrs([])])),
      bind("sets", list([one, two])),
      bind("set", one),
      bind("none", attrs([])),
      bind("longSingle", words(long + long)),
      bind(
        "commented",
        list([comment("the first one"), int(1), comment("the second\none"), int(2)]),
      ),
      bind("onlyComment", attrs([comment("nothing yet")])),
    ]),
  },
  {
    name: "blank-lines",
    expr: attrs([
      blank,
      bind("a", int(1)),
      blank,
      blank,
      comment("about b"),
      bind("b", int(2)),
      blank,
    ]),
  },
  {
    name: "texts",
    expr: attrs([
      bind("script", str("#!/bin/sh\nset -eu\n\nfor f in *; do\n  echo \"${f}\" '$$'\ndone\n")),
      bind("shell", str("trap 'rm -rf \"$dir\"' EXIT\nawk '$1 > 3' $'a\\tb' \"it's\"\n")),
      bind("oneLine", str("one line\n")),
      bind("unended", str("two\nlines")),
      bind("indented", str("  all\n  indented\n")),
      bind("quotes", str("it''\nends\n")),
      bind("escapeTrap", str("it'${x}\nends\n")),
      bind("dollarTrap", str("a $${x}\nends\n")),
      bind("blanks", str("a\n  \nb\n")),
      bind("windows", str("a\r\nb\r\n")),
      bind("listed", list([str("a\nb\n")])),
    ]),
  },
  {
    name: "module-functions",
    expr: moduleOf(
      ["config", "lib"],
      attrs([
        bind("a", lib("mkForce", str("x"))),
        bind("b", lib("mkIf", ref("config", "services", "x", "enable"), two)),
        bind("c", lib("mkIf", ref("config", "x"), one)),
        bind("d", lib("mkForce", words("a", "b"))),
        bind("e", lib("mkMerge", list([one, lib("mkIf", bool(true), two)]))),
        bind("f", lib("mkIf", bool(true), lib("mkOverride", int(-5), two))),
        bind("g", lib("mkForce", str("line\nline\n"))),
        bind("h", lib("mkIf", join("&&", [ref("config", long), ref("config", long)]), two)),
        bind("i", lib("mkDefault", str(long + long))),
        bind("j", lib("mkForce", ifElse(ref("config", "a"), str("b"), str("c")))),
        bind("k", lib("fold", two, two)),
      ]),
    ),
  },
  {
    name: "functions",
    expr: functionOf(
      {
        names: [
          { name: "lib", fallback: null },
          { name: "pkgs", fallback: nil },
          { name: "settings", fallback: one },
        ],
        open: false,
      },
      letIn(
        [
          bind("identity", lambda("x", ref("x"))),
          bind("make", lambda("final", lambda("prev", two))),
          inherit(["mkIf"], ref("lib")),
          inherit(["lib", "pkgs"]),
          inherit(["a", "b", "c", "d"], ref("settings")),
        ],
        attrs([
          bind("imported", call(importFile(path("./templates/docker-host")), two)),
          bind("selected", select(call(importFile(path("./a.nix")), attrs([])), ["b"])),
          bind("fallback", select(ref("settings"), ["a", "b c"], attrs([]))),
          bind("packages", withScope(ref("pkgs"), list([ref("vim"), ref("git")]))),
          bind("applied", lib("mapAttrs", lambda("name", lambda("value", ref("name"))), two)),
          bind("overlay", functionOf({ names: [{ name: "x", fallback: null }], open: true }, one)),
          bind("chosen", ifElse(bool(true), str("a"), ifElse(bool(false), str("b"), two))),
        ]),
      ),
    ),
  },
  {
    name: "operators",
    expr: moduleOf(
      ["lib", "modulesPath"],
      attrs([
        bind("imports", list([join("+", [ref("modulesPath"), str("/profiles/qemu-guest.nix")])])),
        bind("short", join("++", [words("a"), ref("lib")])),
        bind(
          "lists",
          join("++", [words("a", "b"), words("c"), lib("optionals", bool(true), words("d", "e"))]),
        ),
        bind("merged", join("//", [ref("lib"), one])),
        bind("both", join("//", [one, one])),
        bind("same", join("==", [ref("lib", "a"), str("b")])),
        bind("logic", join("||", [join("&&", [ref("lib", long), ref("lib", long)]), bool(true)])),
      ]),
    ),
  },
  {
    name: "interpolation",
    expr: moduleOf(
      ["pkgs", "modulesPath"],
      attrs([
        bind("path", interpolated(ref("modulesPath"), "/profiles/qemu-guest.nix")),
        bind("dollar", interpolated("costs $", ref("pkgs", "price"), "\n${x}")),
        bind("call", interpolated(call(ref("toString"), int(1)), str("x"))),
      ]),
    ),
  },
  {
    name: "comments",
    header: "header\n*/ }; evil = true;\r{\u2028x\u0000\u202ey",
    expr: attrs([
      comment("ends\rhere = 1;\r\nand = 2;\u0085no = 3;\u2028nor = 4;"),
      comment(""),
      bind("a", int(1)),
    ]),
  },
];
