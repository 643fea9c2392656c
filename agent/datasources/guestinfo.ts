import { Fault, isFault } from "#core/fault.ts";
import type { ExecResult, Io } from "#core/io.ts";
import { readIdentity } from "./identity.ts";

/** A program of open-vm-tools that asks the hypervisor. */
export interface GuestInfoTool {
  readonly name: "vmware-rpctool" | "vmtoolsd";
  /** Where it lies on this machine. */
  readonly path: string;
}

/** The hypervisor answers at once, or there is none. */
const timeoutMs = 10_000;
const maxBytes = 24 * 1024 * 1024;
/** Of NixOS: the path of a unit does not hold what is installed. */
const installed = ["/run/current-system/sw/bin", "/usr/bin"];
const names = ["vmware-rpctool", "vmtoolsd"] as const;

/**
 * The programs by which a guest of VMware asks for its guestinfo, the preferred one first, by files
 * alone; none on another machine. What they would say only they know.
 */
export function findGuestInfoTools({ files, env }: Io): readonly GuestInfoTool[] {
  const { sysVendor, productName } = readIdentity(files);
  if (sysVendor !== "VMware, Inc." && !/vmware/i.test(productName)) return [];
  const directories = [...(env["PATH"] ?? "").split(":"), ...installed];
  return names.flatMap((name) => {
    const paths = directories.filter((each) => each !== "").map((each) => `${each}/${name}`);
    const path = paths.find((each) => files.realPath(each) !== undefined);
    return path === undefined ? [] : [{ name, path }];
  });
}

/**
 * What the hypervisor says under `guestinfo.KEY`, `undefined` where it says nothing. Where one program
 * cannot ask the other one does. Throws `datasource/unreachable`, `datasource/malformed`.
 */
export async function askGuestInfo(
  io: Io,
  tools: readonly GuestInfoTool[],
  key: string,
): Promise<string | undefined> {
  const problems: string[] = [];
  for (const tool of tools) {
    const answer = await ask(io, tool, `info-get guestinfo.${key}`);
    if ("problem" in answer) problems.push(`${tool.name}: ${answer.problem}`);
    else return answer.value;
  }
  throw new Fault("datasource/unreachable", `guestinfo.${key}: ${problems.join("; ")}`);
}

type Answer = { readonly value: string | undefined } | { readonly problem: string };

async function ask(io: Io, { name, path }: GuestInfoTool, command: string): Promise<Answer> {
  let result: ExecResult;
  try {
    const args = name === "vmtoolsd" ? ["--cmd", command] : [command];
    const file = io.files.hostPath(path);
    result = await io.exec({ file, args, timeoutMs, graceMs: 1_000, maxOutputBytes: maxBytes });
  } catch (error) {
    if (!isFault(error)) throw error;
    return { problem: error.message };
  }
  const { code, timedOut, stdout, stderr } = result;
  if (stdout.length >= maxBytes)
    throw new Fault("datasource/malformed", `${command}: more than ${maxBytes} bytes came`);
  const text = stdout.trimEnd();
  // As some editors of these values write nothing.
  if (code === 0) return { value: text === "" || text === "---" ? undefined : text };
  if (timedOut) return { problem: `said nothing within ${timeoutMs} ms` };
  if (code === 1 && /no value found/i.test(stdout + stderr)) return { value: undefined };
  return { problem: `ended with ${code}` };
}
