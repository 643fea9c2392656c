import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { type FakeIo, type FakeProgram, fakeIo } from "#core/fake-io.ts";
import { fc } from "#core/fast-check.ts";
import { efiText, efiVariable } from "../fake-firmware.ts";
import { chooseLoader } from "./choose-loader.ts";
import { extlinux } from "./extlinux.ts";
import { mountinfo } from "./fake-mounts.ts";
import { grub } from "./grub.ts";
import { formatEnvironment, parseEnvironment } from "./grub-environment.ts";
import { findMenuEntry } from "./grub-menu.ts";
import { kexec } from "./kexec.ts";
import type { LoaderPlace } from "./loader.ts";
import { mountOf, mountPoints } from "./mounts.ts";
import { findEntry, systemdBoot } from "./systemd-boot.ts";

const now = "/nix/store/00000000000000000000000000000000-nixos-system-now";
const next = "/nix/store/11111111111111111111111111111111-nixos-system-next";

/** A machine of these files, and what loaders work with on it. */
function place(
  root: string,
  files: Readonly<Record<string, string | Uint8Array>>,
  programs: Readonly<Record<string, FakeProgram>> = {},
): LoaderPlace & { readonly io: FakeIo } {
  const io = fakeIo(root, programs);
  for (const [file, data] of Object.entries(files)) io.files.write(file, data);
  const run: LoaderPlace["run"] = ({ argv: [file, ...args], timeoutMs }) =>
    io.exec({ file, args, timeoutMs });
  return { io, files: io.files, storeFiles: io.files, run };
}

function features(bits: bigint): Uint8Array {
  const bytes = Buffer.alloc(12);
  bytes.writeBigUInt64LE(bits, 4);
  return bytes;
}

const entry = (toplevel: string, more = "") =>
  `title NixOS\nversion Generation 1\nlinux /EFI/nixos/k.efi\n${more}options init=${toplevel}/init quiet\n`;

const systemdFiles = {
  [efiVariable("LoaderInfo")]: efiText("systemd-boot 257.9"),
  [efiVariable("LoaderFeatures")]: features(0b1111111n),
  "/boot/loader/entries/nixos-generation-1.conf": entry(now),
  "/boot/loader/entries/nixos-firstlight_trial-generation-1.conf": entry(next),
};

t.test("systemd-boot is known by what it says of itself, and so is what it can", async (t) => {
  const probe = (name: string, files: Readonly<Record<string, string | Uint8Array>>) =>
    systemdBoot.probe(place(t.testdir({ [name]: {} }), files), now);
  t.same(await probe("a", systemdFiles), { is: "able" });
  const plain = { ...systemdFiles, [efiVariable("LoaderFeatures")]: features(0b1000n) };
  t.same(await probe("b", plain), { is: "able" }, "by that feature alone");
  const old = { ...systemdFiles, [efiVariable("LoaderFeatures")]: features(0b0111n) };
  t.match(await probe("c", old), { is: "unable", why: /systemd-boot 257.9 does not say/ });
  const silent = { [efiVariable("LoaderInfo")]: efiText("systemd-boot 240") };
  t.match(await probe("d", silent), { is: "unable" });
  t.same(await probe("e", { [efiVariable("LoaderInfo")]: efiText("rEFInd 0.14") }), {
    is: "absent",
  });
  t.same(await probe("f", {}), { is: "absent" });
});

t.test("systemd-boot without entries in sight cannot", async (t) => {
  const { "/boot/loader/entries/nixos-generation-1.conf": _, ...rest } = systemdFiles;
  const { "/boot/loader/entries/nixos-firstlight_trial-generation-1.conf": __, ...none } = rest;
  t.match(await systemdBoot.probe(place(t.testdir(), none), now), {
    is: "unable",
    why: /no mounted partition/,
  });
});

t.test(
  "an entry is found by what it boots, wherever it lies and however it is named",
  async (t) => {
    const cases: readonly (readonly [file: string, id: string])[] = [
      ["/boot/loader/entries/nixos-generation-7.conf", "nixos-generation-7.conf"],
      ["/boot/loader/entries/nixos-abc123+3.conf", "nixos-abc123.conf"],
      ["/efi/loader/entries/nixos-abc123+2-1.conf", "nixos-abc123.conf"],
      ["/boot/efi/loader/entries/mine.conf", "mine.conf"],
      ["/esp of mine/loader/entries/a+b.conf", "a+b.conf"],
    ];
    for (const [index, [file, id]] of cases.entries()) {
      const { files } = place(path.join(t.testdir(), `${index}`), {
        "/proc/self/mountinfo": mountinfo("/dev/sda1 /esp\\040of\\040mine vfat"),
        "/boot/loader/entries/nixos-generation-1.conf": entry(now),
        "/boot/loader/entries/other.txt": entry(next),
        "/boot/loader/entries/longer.conf": entry(`${next}-more`),
        [file]: entry(next, "# init=x\n"),
      });
      t.equal(findEntry(files, next), id, file);
      t.equal(findEntry(files, "/nix/store/none"), undefined);
    }
  },
);

t.test("what was chosen with bootctl is looked at, and forgotten when it is there", async (t) => {
  const variable = efiVariable("LoaderEntryOneShot");
  const at = place(t.testdir(), systemdFiles, {
    bootctl: ({ args: [, id = ""] }) => {
      if (id === "") at.files.remove(variable);
      else at.files.write(variable, efiText(id.toUpperCase()));
      return {};
    },
  });
  await systemdBoot.forget(at);
  t.same(at.io.executed, [], "nothing to forget");
  t.equal(await systemdBoot.choose(at, next), "nixos-firstlight_trial-generation-1.conf");
  await systemdBoot.forget(at);
  t.equal(at.files.stat(variable), undefined);
  await t.rejects(systemdBoot.choose(at, "/nix/store/none"), {
    code: "system/boot-once-failed",
    message: "/boot/loader/entries: no entry boots /nix/store/none",
  });
});

const header = `# Automatically generated.  DO NOT EDIT THIS FILE!
        if [ -s $prefix/grubenv ]; then
          load_env
        fi
        if [ "\${next_entry}" ]; then
          set default="\${next_entry}"
          set next_entry=
          save_env next_entry
          set timeout=1
        else
          set default=0
          set timeout=5
        fi
`;
const item = (
  title: string,
  toplevel: string,
) => `menuentry "${title}" --class nixos --unrestricted {
search --set=drive1 --fs-uuid 0000-0000
  linux ($drive1)//kernels/kernel init=${toplevel}/init loglevel=4
  initrd ($drive1)//kernels/initrd
}

`;
const menu = `${header}
if [ x\${feature} = xy ]; then
function savedefault {
  true
}
fi
${item("NixOS", now)}submenu "NixOS - All configurations" --class submenu {
${item("NixOS - Configuration 2 (2026-01-02 - 26.05)", now)}${item("NixOS - Configuration 1 (2026-01-01 - 26.05)", "/nix/store/image")}}
submenu "NixOS - Profile 'firstlight_trial'" --class submenu {
${item("NixOS - Configuration 1 (2026-01-03 - 26.05)", next)}}
`;
const grubFiles = {
  "/boot/grub/grub.cfg": menu,
  "/proc/self/mountinfo": mountinfo("/dev/vda2 / ext4", "/dev/vda1 /boot vfat"),
};
const trialEntry =
  "NixOS - Profile 'firstlight_trial'>NixOS - Configuration 1 (2026-01-03 - 26.05)";

t.test(
  "GRUB can where its menu clears what it was told, on a disk that it can write",
  async (t) => {
    const mounts = (...all: string[]) => ({
      ...grubFiles,
      "/proc/self/mountinfo": mountinfo(...all),
    });
    const cases: readonly (readonly [Readonly<Record<string, string>>, object])[] = [
      [grubFiles, { is: "able" }],
      [mounts("/dev/sda2 / xfs"), { is: "able" }],
      [mounts("/dev/sda2 / btrfs"), { is: "unable", why: /not write on btrfs/ }],
      [mounts("tank/root / zfs"), { is: "unable", why: /not write on zfs/ }],
      [mounts("/dev/mapper/vg-root / ext4"), { is: "unable", why: /mapper\/vg-root/ }],
      [mounts("/dev/md0 / ext4"), { is: "unable", why: /md0/ }],
      [mounts(), { is: "unable", why: /nobody says/ }],
      [
        { ...grubFiles, "/boot/grub/grub.cfg": menu.replace(/save_env next_entry/, "") },
        { is: "unable", why: /does not look for an entry/ },
      ],
      [
        { ...grubFiles, "/boot/grub/grub.cfg": menu.replaceAll(now, "/nix/store/x") },
        { is: "absent" },
      ],
      [{}, { is: "absent" }],
    ];
    for (const [index, [files, expected]] of cases.entries()) {
      const found = await grub.probe(place(path.join(t.testdir(), `${index}`), files), now);
      t.match(found, expected, JSON.stringify(expected));
    }
  },
);

t.test("an entry of GRUB's menu is named by the titles that lead to it", async (t) => {
  t.equal(findMenuEntry(menu, next), trialEntry);
  t.equal(findMenuEntry(menu, now), "NixOS");
  t.equal(
    findMenuEntry(menu, "/nix/store/image"),
    "NixOS - All configurations>NixOS - Configuration 1 (2026-01-01 - 26.05)",
  );
  t.equal(findMenuEntry(menu, "/nix/store/none"), undefined);
  const twice = `${item("Same", now)}${item("Same", next)}`;
  t.equal(findMenuEntry(twice, next), undefined, "GRUB would take the first of two");
  t.equal(findMenuEntry(item('A > \\"B\\" \\$C', next), next), 'A >> "B" $C');
});

t.test("GRUB's choice is written beside what else its environment holds", async (t) => {
  const at = place(t.testdir(), grubFiles);
  await grub.forget(at);
  t.equal(at.files.stat("/boot/grub/grubenv"), undefined, "nothing to forget");
  t.equal(await grub.choose(at, next), trialEntry);
  const text = at.files.readText("/boot/grub/grubenv") ?? "";
  t.equal(Buffer.byteLength(text), 1024);
  at.files.write(
    "/boot/grub/grubenv",
    formatEnvironment(parseEnvironment(text).set("a", "b")) ?? "",
  );
  await grub.forget(at);
  t.same([...parseEnvironment(at.files.readText("/boot/grub/grubenv") ?? "")], [["a", "b"]]);
  const full = new Map([["big", "x".repeat(990)]]);
  at.files.write("/boot/grub/grubenv", formatEnvironment(full) ?? "");
  await t.rejects(grub.choose(at, next), { code: "system/boot-once-failed", message: /no room/ });
  await t.rejects(grub.choose(at, "/nix/store/none"), { message: /no entry boots/ });
});

const name = fc.stringMatching(/^[a-z_]{1,12}$/);
const environments = fc.dictionary(name, fc.string({ maxLength: 40 }), { maxKeys: 8 });

t.test("what is written into GRUB's environment is read from it", async () => {
  fc.assert(
    fc.property(environments, (values) => {
      const variables = new Map(Object.entries(values));
      const text = formatEnvironment(variables);
      if (text === undefined) return true;
      const read = parseEnvironment(text);
      return (
        Buffer.byteLength(text) === 1024 &&
        JSON.stringify([...read]) === JSON.stringify([...variables])
      );
    }),
  );
});

const tool = spawnSync("grub-editenv", ["--version"]).status === 0;
const skip =
  tool || process.env["CI"] === "true"
    ? false
    : "SKIPPED: needs grub-editenv (Debian: apt-get install grub-common)";

t.test("grub-editenv reads what is written, and what it writes is read", { skip }, async (t) => {
  const file = path.join(t.testdir(), "grubenv");
  const editenv = (...args: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync("grub-editenv", [file, ...args], {
      encoding: "utf8",
    });
    t.equal(status, 0, stderr);
    return stdout;
  };
  writeFileSync(
    file,
    formatEnvironment(
      new Map([
        ["next_entry", trialEntry],
        ["path", "a\\b"],
      ]),
    ) ?? "",
  );
  t.equal(editenv("list"), `next_entry=${trialEntry}\npath=a\\b\n`);
  editenv("unset", "path");
  editenv("set", "saved_entry=it's > \\ this");
  t.same(Object.fromEntries(parseEnvironment(readFileSync(file, "utf8"))), {
    next_entry: trialEntry,
    saved_entry: "it's > \\ this",
  });
  editenv("create");
  t.equal(parseEnvironment(readFileSync(file, "utf8")).size, 0);
});

t.test("what is no environment of GRUB's holds nothing, and harms nobody", async () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      parseEnvironment(`# GRUB Environment Block\n${text}`);
      return parseEnvironment(`x${text}`).size === 0;
    }),
  );
});

/** What `kexec --help` of kexec-tools 2.0.25 lists, of the program and of its loader of bzImages. */
const kexecOptions: ReadonlySet<string> = new Set([
  ...["--help", "--version", "--force", "--no-checks", "--no-ifdown", "--no-sync", "--load"],
  ...[
    "--load-panic",
    "--unload",
    "--exec",
    "--exec-live-update",
    "--type",
    "--mem-min",
    "--mem-max",
  ],
  ...["--reuseinitrd", "--print-ckr-size", "--load-preserve-context", "--load-jump-back-helper"],
  ...["--load-live-update", "--entry", "--kexec-file-syscall", "--kexec-syscall"],
  ...["--kexec-syscall-auto", "--debug", "--status", "--entry-32bit", "--real-mode"],
  ...["--command-line", "--append", "--reuse-cmdline", "--initrd", "--ramdisk"],
]);

t.test("kexec loads what the system names, and sees whether it was taken", async (t) => {
  const loaded = "/sys/kernel/kexec_loaded";
  let takes = "1\n";
  const at = place(
    t.testdir(),
    {
      "/proc/sys/kernel/kexec_load_disabled": "0\n",
      [loaded]: "0\n",
      [`${next}/kernel-params`]: "quiet panic=30\n",
    },
    {
      kexec: ({ args }) => {
        at.files.write(loaded, args.includes("--unload") ? "0\n" : takes);
        return {};
      },
    },
  );
  t.same(await kexec.probe(at, now), { is: "able" });
  t.equal(await kexec.choose(at, next), `${next}/kernel`);
  t.same(at.io.executed.at(-1)?.args, [
    "--kexec-syscall-auto",
    "--load",
    `${next}/kernel`,
    `--initrd=${next}/initrd`,
    `--command-line=init=${next}/init quiet panic=30`,
  ]);
  await kexec.forget(at);
  t.equal(at.files.readText(loaded), "0\n");
  const asked = at.io.executed.flatMap(({ args }) => args).filter((arg) => arg.startsWith("-"));
  const unknown = asked.filter((arg) => !kexecOptions.has(arg.replace(/=.*$/s, "")));
  t.same(unknown, [], "kexec-tools has no other options");
  takes = "0\n";
  await t.rejects(kexec.choose(at, next), {
    code: "system/boot-once-failed",
    message: /none is loaded/,
  });
});

t.test("kexec says why it is not to be had", async (t) => {
  const probe = (name: string, disabled: string | undefined, programs = {}) =>
    kexec.probe(
      place(
        path.join(t.testdir(), name),
        disabled === undefined ? {} : { "/proc/sys/kernel/kexec_load_disabled": disabled },
        programs,
      ),
      now,
    );
  t.match(await probe("a", undefined), { is: "unable", why: /cannot load/ });
  t.match(await probe("b", "1\n"), { is: "unable", why: /switched off/ });
  t.match(await probe("c", "0\n"), { is: "unable", why: /is not there/ });
  t.match(await probe("d", "0\n", { kexec: () => ({ code: 1 }) }), {
    is: "unable",
    why: /exit code 1/,
  });
});

t.test("kexec that fails says its last line", async (t) => {
  const at = place(
    t.testdir(),
    {},
    {
      kexec: () => ({ code: 255, stderr: "kexec_file_load failed: Operation not permitted\n" }),
    },
  );
  await t.rejects(kexec.choose(at, next), { message: /Operation not permitted$/ });
});

t.test("extlinux is known by its file, and never able", async (t) => {
  const text = `DEFAULT nixos-default\nLABEL nixos-default\n  APPEND init=${now}/init quiet\n`;
  const at = place(t.testdir(), { "/boot/extlinux/extlinux.conf": text });
  t.match(await extlinux.probe(at, now), { is: "unable", why: /one default/ });
  t.same(await extlinux.probe(at, next), { is: "absent" });
});

t.test("the machine's own loader comes first, then kexec, then the reasons of each", async (t) => {
  const choose = (
    name: string,
    files: Readonly<Record<string, string | Uint8Array>>,
    policy: "allow" | "kexec" = "allow",
  ) =>
    chooseLoader(place(path.join(t.testdir(), name), files, { kexec: () => ({}) }), {
      policy,
      bootDefault: now,
    });
  const kernel = { "/proc/sys/kernel/kexec_load_disabled": "0\n" };
  const chosen = async (...args: Parameters<typeof choose>) => (await choose(...args)).loader.name;
  t.equal(await chosen("a", { ...systemdFiles, ...grubFiles, ...kernel }), "systemd-boot");
  t.equal(await chosen("b", { ...grubFiles, ...kernel }), "grub");
  t.equal(await chosen("c", { ...systemdFiles, ...kernel }, "kexec"), "kexec");
  const btrfs = { ...grubFiles, "/proc/self/mountinfo": mountinfo("/dev/sda2 / btrfs") };
  t.equal(await chosen("d", { ...btrfs, ...kernel }), "kexec");
  await t.rejects(choose("e", btrfs), {
    code: "system/reboot-impossible",
    message: /^grub: GRUB does not write on btrfs.*; kexec: this kernel cannot/,
  });
});

t.test("mounts are read as the kernel writes them", async (t) => {
  const { files } = place(t.testdir(), {
    "/proc/self/mountinfo": `${mountinfo("/dev/a / ext4", "/dev/b /boot vfat", "/dev/c /boot ext4", "/dev/d /my\\040disk\\134 vfat")}short\n`,
  });
  t.match(mountOf(files, "/boot/grub"), { device: "/dev/c" }, "the one on top");
  t.match(mountOf(files, "/bootstrap"), { device: "/dev/a" });
  t.same(mountPoints(files, ["vfat"]), ["/my disk\\"], "not what another one lies over");
});
