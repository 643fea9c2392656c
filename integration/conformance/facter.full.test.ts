import { existsSync, readdirSync, readFileSync } from "node:fs";
import t from "tap";
import { validate } from "#generated/provisioner/facts/facts.validate.js";
import { factsFromFacter, isFacterReport } from "#provisioner/facts/facter.ts";
import { withoutFacterLosses } from "#provisioner/facts/facter-losses.ts";
import { facterFromFacts } from "#provisioner/facts/to-facter.ts";

const directory = new URL("../../../shared/data/hardware/reports", import.meta.url).pathname;
const files = existsSync(directory)
  ? readdirSync(directory).filter((name) => name.endsWith(".facter.json"))
  : [];
const skip = files.length === 0 ? "reports of nixos-facter are not on this machine" : false;

function reportOf(name: string): unknown {
  return JSON.parse(readFileSync(`${directory}/${name}`, "utf8"));
}

t.test("real reports become facts, and reports again that say the same", { skip }, async (t) => {
  for (const name of files) {
    const report = reportOf(name);
    t.ok(isFacterReport(report), name);
    if (!isFacterReport(report)) continue;
    const facts = factsFromFacter(report);
    t.ok(validate(facts), name, { errors: validate.errors });
    const again = factsFromFacter(facterFromFacts(facts));
    t.same(again, withoutFacterLosses(facts), name);
  }
});

t.test("two graphics processors have the bus ids that PRIME wants", { skip }, async (t) => {
  const report = reportOf("wg-lux.facter.json");
  t.ok(isFacterReport(report));
  if (!isFacterReport(report)) return;
  t.same(
    factsFromFacter(report).gpus?.map(({ vendor, device, busId }) => [vendor, device, busId]),
    [
      ["8086", "a7a8", "PCI:0:2:0"],
      ["10de", "2820", "PCI:1:0:0"],
    ],
  );
});
