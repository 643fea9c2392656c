import t from "tap";
import { validate } from "#generated/provisioner/facts/facts.validate.js";
import { genericFacts } from "./generic-facts.ts";

t.test("facts of no machine know only the architecture, and fit the schema", async (t) => {
  for (const architecture of ["x86_64", "aarch64"]) {
    const facts = genericFacts(architecture);
    t.ok(validate(facts), architecture, { errors: validate.errors });
    t.equal(facts.cpu.architecture, architecture);
    t.equal(facts.pci, null);
  }
});
