import t from "tap";
import { formatFinding } from "#core/finding.ts";
import { SpecDraft } from "../draft.ts";
import type { PartFormat, UserDataPart } from "../parts/part.ts";
import { addScripts } from "./add-scripts.ts";
import { startScript } from "./script-interpreter.ts";
import { orderScripts } from "./script-order.ts";

const part = (format: PartFormat, filename: string | null, text: string): UserDataPart => ({
  ...{ document: "user-data: part 2", format, filename, text, content: Buffer.from(text) },
  ...{ mergeType: null, launchIndex: null, isTemplate: false, number: 3, firstLine: 10 },
});

t.test("a script is started by a program that NixOS has", async (t) => {
  const cases = {
    "#!/bin/sh\n:": { interpreter: "sh" },
    "#!/bin/bash\n:": { interpreter: "bash" },
    "#! /usr/local/bin/bash\n:": { interpreter: "bash" },
    "#!/usr/bin/env bash\n:": { interpreter: "bash" },
    "#!/bin/dash\n:": { interpreter: "sh" },
    "#!/bin/sh -e\n:": { interpreter: "own" },
    "#!/bin/bash -eux\n:": { interpreter: "own", text: "#!/usr/bin/env -S bash -eux\n:" },
    "#!/bin/bash -e\r\n:": { interpreter: "own", text: "#!/usr/bin/env -S bash -e\r\n:" },
    "#!/usr/bin/perl\n:": { interpreter: "own", text: "#!/usr/bin/env perl\n:" },
    "#!/usr/bin/env python3\n:": { interpreter: "own" },
    "#!/nix/store/x/bin/y\n:": { interpreter: "own" },
  };
  for (const [text, expected] of Object.entries(cases)) {
    t.same(startScript(text), { text, ...expected }, text);
  }
  t.match(startScript("#!/usr/bin/python3 -u\n:"), {
    text: "#!/usr/bin/env -S python3 -u\n:",
    problem: { code: "cloud-config/interpreter-path", message: /python3 is looked for in PATH/ },
  });
  t.match(startScript('#!/usr/bin/python3 -c "$x"\n:'), {
    text: /^#!\/usr\/bin\/python3/,
    problem: { message: /cannot be started/ },
  });
  t.match(startScript("echo hello\n"), {
    interpreter: "sh",
    problem: { code: "user-data/interpreter" },
  });
});

t.test("scripts run in the order of their names, as files of one directory do", async (t) => {
  const order = orderScripts([
    part("script", "z.sh", "1"),
    part("script-per-boot", "b", "2"),
    part("script", null, "3"),
    part("cloud-boothook", "z", "4"),
    part("cloud-boothook", "a", "5"),
    part("script", "a b/c.sh", "6"),
    part("script-per-boot", "a", "7"),
    part("script", "z.sh", "8"),
  ]);
  const texts = (list: readonly { readonly part: UserDataPart; readonly name: string }[]) =>
    list.map((each) => `${each.name}=${each.part.text}`);
  t.same(texts(order.hooks), ["z=4", "a=5"]);
  t.same(texts(order.boot), ["a=7", "b=2"]);
  t.same(texts(order.beforeRuncmd), ["ab_c.sh=6", "part-003=3"]);
  t.same(texts(order.afterRuncmd), ["z.sh=8"]);
  t.same(texts(order.replaced), ["z.sh=1"]);
});

t.test("scripts become commands of the spec, and their texts secrets", async (t) => {
  const draft = new SpecDraft();
  const { hooks, boot, beforeRuncmd } = orderScripts([
    part("cloud-boothook", "hook", "#cloud-boothook\r\n#!/bin/sh\r\necho hook\r\n"),
    part("script-per-boot", "näh.sh", "#!/bin/bash\necho boot\n"),
    part("script", "-a!", "#!/usr/bin/env python3\nprint(1)\n"),
  ]);
  t.same(addScripts([...hooks, ...boot, ...beforeRuncmd], draft, new Set()), []);
  t.same(draft.spec.commands, [
    { name: "hook", when: "early", frequency: "always", script: { secretRef: "hook" } },
    {
      ...{ name: "nh.sh", when: "late", frequency: "always", script: { secretRef: "nh.sh" } },
      interpreter: "bash",
    },
    {
      ...{ name: "a", when: "late", frequency: "instance", script: { secretRef: "a" } },
      interpreter: "own",
    },
  ]);
  const texts = [...draft.secrets.values()].map((each) => Buffer.from(each.reveal()).toString());
  t.same(texts, [
    "#!/bin/sh\necho hook\n",
    "#!/bin/bash\necho boot\n",
    "#!/usr/bin/env python3\nprint(1)\n",
  ]);
  t.same(draft.originOf(["commands", 0], "value"), {
    ...{ document: "user-data: part 2", line: 11, column: 1 },
  });
});

t.test("what cannot work in a script is said once, with its line", async (t) => {
  const lint = (text: string) =>
    addScripts(
      orderScripts([part("script", "s", text)]).beforeRuncmd.concat(
        orderScripts([part("script", "s", text)]).afterRuncmd,
      ),
      new SpecDraft(),
      new Set(["/usr/local/bin/mine"]),
    ).map((each) => formatFinding(each).split("\n")[0]);
  t.match(
    lint(
      "#!/bin/bash\n\napt-get update\napt-get install -y nginx\ncat <<'END' >/root/note\napt-get is gone\nuseradd x\n\tEND\nuserdel z\nEND\n/usr/bin/python3 x\n/usr/local/bin/mine\nuseradd y\n",
    ),
    [
      /^user-data: part 2:12:1 warning: .*\[cloud-config\/package-manager]/,
      /^user-data: part 2:20:1 warning: .*\[cloud-config\/program-path]/,
      /^user-data: part 2:22:1 warning: .*useradd.*\[cloud-config\/foreign-command]/,
    ],
  );
  t.same(lint("#!/usr/bin/env python3\napt-get\n"), [], "no shell");
  t.match(lint("echo a\n"), [/:10:1 warning: the first line names no program/]);
});
