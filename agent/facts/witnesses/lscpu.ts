import { mapping, parseJson, textOf, wholeNumber } from "./json-values.ts";
import type { FactValue, WitnessTool } from "./witness-tool.ts";

const maxDepth = 8;

/** The processors. Numbers of an ARM processor are another count than the kernel's, and left out. */
export const lscpu: WitnessTool = {
  name: "lscpu",
  args: ["-J"],
  what: "cpu",
  parse(stdout) {
    const root = mapping(parseJson(stdout))["lscpu"];
    if (!Array.isArray(root)) return null;
    const fields = new Map<string, string>();
    collect(root, fields, 0);
    const text = (name: string) => textOf(fields.get(name));
    const architecture = text("Architecture");
    if (architecture === null) return null;
    const values = new Map<string, FactValue>([["cpu.architecture", architecture]]);
    const say = (key: string, value: FactValue) => {
      if (value !== null) values.set(`cpu.${key}`, value);
    };
    const sockets = wholeNumber(text("Socket(s)"));
    const perSocket = wholeNumber(text("Core(s) per socket"));
    say("sockets", sockets);
    say("cores", sockets === null || perSocket === null ? null : sockets * perSocket);
    say("threads", countOf(text("On-line CPU(s) list")));
    if (architecture !== "x86_64" && architecture !== "i686") return { values, whole: [] };
    say("vendor", text("Vendor ID"));
    say("name", text("Model name"));
    say("family", wholeNumber(text("CPU family")));
    say("model", wholeNumber(text("Model")));
    say("stepping", wholeNumber(text("Stepping")));
    const flags = text("Flags") === null ? undefined : fields.get("Flags")?.split(/\s+/);
    say("hypervisor", flags?.includes("hypervisor") ?? null);
    return { values, whole: [] };
  },
};

/** Fields by name; newer versions put some below others. */
function collect(entries: readonly unknown[], into: Map<string, string>, depth: number): void {
  for (const entry of entries.slice(0, 1024)) {
    const { field, data, children } = mapping(entry);
    const name = textOf(field)?.replace(/:$/, "");
    if (name !== undefined && typeof data === "string" && !into.has(name)) into.set(name, data);
    if (Array.isArray(children) && depth < maxDepth) collect(children, into, depth + 1);
  }
}

/** How many a list names: `0-7,9` are nine. */
function countOf(list: string | null): number | null {
  if (list === null || !/^[0-9]{1,6}(-[0-9]{1,6})?(,[0-9]{1,6}(-[0-9]{1,6})?)*$/.test(list))
    return null;
  return list.split(",").reduce((sum, part) => {
    const [from = 0, to = from] = part.split("-").map(Number);
    return sum + (to - from + 1);
  }, 0);
}
