import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { CommandLine } from "#provisioner/system/command-lines.ts";
import type { Recording } from "#provisioner/system/recorded-nix.ts";
import { type Answer, ask } from "../boot/host.ts";

/** A Nix with a store of its own that nothing else is in. */
export interface Recorder {
  /** `2.26.3` */
  readonly version: string;
  /** Runs a line of firstlight's and keeps what it printed. */
  record(name: string, line: CommandLine): Promise<Answer>;
  /** Runs anything else on the way; throws unless it ends with 0. */
  prepare(...argv: readonly string[]): Promise<string>;
  /** Writes a file below /var/lib/firstlight. */
  write(name: string, text: string): void;
  /** Puts other bytes into a file of the store. */
  damage(storePath: string): void;
}

/** A {@link Recorder} that runs a real Nix. */
export interface RealRecorder extends Recorder {
  readonly recordings: ReadonlyMap<string, Recording>;
  /** What the preparations printed, in their order. */
  readonly prepared: readonly string[];
  close(): void;
}

const timeoutMs = 60_000;
/** No users, no sandbox and no network: what is printed depends on nothing but Nix. */
const nixConf = `build-users-group =
sandbox = false
max-jobs = 1
cores = 1
substituters =
`;
const enter = `
mount --bind "$1/nix" "$2/nix"
mount --bind "$1/firstlight" "$2/var/lib/firstlight"
mount --rbind /dev "$2/dev"
mount -t proc proc "$2/proc"
mount -t tmpfs tmpfs "$2/tmp"
root="$2"; shift 2
exec chroot "$root" /usr/bin/env -i LC_ALL=C.UTF-8 PATH=/usr/bin:/bin HOME=/tmp USER=root NIX_CONF_DIR=/nix/etc "$@"
`;

/** Opens the Nix of a root directory. Its process numbers begin anew with each command. */
export async function openRecorder(root: string): Promise<RealRecorder> {
  const world = mkdtempSync(path.join(tmpdir(), "record-nix-"));
  const recordings = new Map<string, Recording>();
  const prepared: string[] = [];
  mkdirSync(path.join(world, "nix/etc"), { recursive: true });
  mkdirSync(path.join(world, "firstlight"));
  writeFileSync(path.join(world, "nix/etc/nix.conf"), nixConf);

  const apart = ["--mount", "--propagation", "private", "--net", "--pid", "--fork", "--kill-child"];
  const run = (argv: readonly string[]) =>
    ask(["unshare", ...apart, "sh", "-ec", enter, "sh", world, root, ...argv], { timeoutMs });
  const must = async (argv: readonly string[]) => {
    const { code, stdout, stderr } = await run(argv);
    if (code !== 0) throw new Error(`${argv.join(" ")}: ${code ?? "killed"}\n${stderr}`);
    return stdout.trim();
  };

  return {
    version: (await must(["nix-store", "--version"])).replace(/^.* /, ""),
    async record(name, { argv, env }) {
      const variables = Object.entries(env ?? {}).map(([key, value]) => `${key}=${value}`);
      const answer = await run([...variables, ...argv]);
      const { code, stdout, stderr } = answer;
      recordings.set(name, { argv, code, stdout: linesOf(stdout), stderr: linesOf(stderr) });
      return answer;
    },
    async prepare(...argv) {
      const printed = await must(argv);
      prepared.push(printed);
      return printed;
    },
    write(name, text) {
      const file = path.join(world, "firstlight", name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, text);
    },
    damage: (storePath) => writeFileSync(path.join(world, storePath), "damaged\n"),
    recordings,
    prepared,
    close: () => rmSync(world, { recursive: true, force: true }),
  };
}

function linesOf(text: string): readonly string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}
