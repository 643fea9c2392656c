import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { FakeProgram } from "#core/fake-io.ts";

/** The programs that make swap, on a machine below `root`; its kernel has no zram until it is loaded. */
export function swapPrograms(root: string): Readonly<Record<string, FakeProgram>> {
  const at = (file: string) => (file.startsWith(root) ? file : path.join(root, file));
  const write = (file: string, text: string | Uint8Array) => {
    mkdirSync(path.dirname(at(file)), { recursive: true });
    writeFileSync(at(file), text);
  };
  const swaps = () =>
    existsSync(at("/proc/swaps")) ? readFileSync(at("/proc/swaps"), "utf8") : "";
  const sizeOf = (device: string) => `/sys/block/${path.basename(device)}/disksize`;
  const last = (args: readonly string[]) => args.at(-1) ?? "";

  return {
    modprobe: () => {
      write("/sys/class/zram-control/hot_add", "1\n");
      write("/sys/block/zram0/disksize", "0\n");
      return {};
    },
    fallocate: ({ args }) => {
      write(last(args), Buffer.alloc(4096));
      return {};
    },
    zramctl: ({ args }) => {
      const device = last(args);
      write(sizeOf(device), args[0] === "--reset" ? "0\n" : `${args[1]}\n`);
      write(device, Buffer.alloc(args[0] === "--reset" ? 0 : 4096));
      return {};
    },
    mkswap: ({ args: [, label = "", place = ""] }) => {
      const page = Buffer.alloc(4096);
      page.write("SWAPSPACE2", 4086, "latin1");
      page.write(label, 1052, "latin1");
      write(place, page);
      return {};
    },
    blkid: ({ args }) => {
      const label = existsSync(at(last(args)))
        ? readFileSync(at(last(args))).subarray(1052, 1068)
        : "";
      const text = label.toString().replace(/\0.*$/s, "");
      return text === "" ? { code: 2 } : { stdout: `LABEL=${text}\nTYPE=swap\n` };
    },
    swapon: ({ args }) => {
      write("/proc/swaps", `${swaps()}${last(args)} file 1024 0 100\n`);
      return {};
    },
    swapoff: ({ args }) => {
      const lines = swaps().split("\n");
      write("/proc/swaps", lines.filter((line) => !line.startsWith(`${last(args)} `)).join("\n"));
      return {};
    },
  };
}
