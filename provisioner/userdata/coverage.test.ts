import t from "tap";
import type { Json } from "#core/canonical-json.ts";
import { fc } from "#core/fast-check.ts";
import { hasErrors } from "#core/finding.ts";
import { validate } from "#generated/provisioner/spec/v1.validate.js";
import { translateCloudConfig } from "./cloud-config/translate.ts";
import { SpecDraft } from "./draft.ts";
import { InputDocument } from "./input-document.ts";
import { asYaml, cloudConfigs } from "./sample-cloud-config.ts";
import { sampleContext, translateText } from "./sample-translation.ts";
import { unnamedLeaves } from "./unnamed-leaves.ts";

function countLeaves(value: Json, isRoot = true): number {
  const inner: Json[] = typeof value === "object" && value !== null ? Object.values(value) : [];
  const sum = inner.map((child) => countLeaves(child, false)).reduce((a, b) => a + b, 0);
  if (inner.length > 0) return sum;
  return isRoot && typeof value === "object" ? 0 : 1;
}

function coverageOf(config: Json): ReturnType<InputDocument["coverage"]> {
  const document = new InputDocument({ name: "x", value: config, locate: () => undefined });
  translateCloudConfig(document.root, new SpecDraft(), sampleContext);
  return document.coverage();
}

t.test("every leaf of a cloud-config is translated, done by the agent, or named", async () => {
  fc.assert(
    fc.property(cloudConfigs(), (config) => {
      const unnamed = unnamedLeaves(config, sampleContext);
      if (unnamed.length > 0) throw new Error(`nothing says what becomes of ${unnamed}`);
      const { translated, agent, unsupported } = coverageOf(config);
      return translated + agent + unsupported === countLeaves(config);
    }),
    { numRuns: 400, seed: 20 },
  );
});

t.test(
  "whatever a cloud-config holds, the spec fits, and the same input has the same output",
  async () => {
    fc.assert(
      fc.property(cloudConfigs(), (config) => {
        const text = `#cloud-config\n${asYaml(config)}\n`;
        const [first, second] = [translateText(text), translateText(text)];
        if (JSON.stringify(first) !== JSON.stringify(second)) throw new Error("it differs");
        if (hasErrors(first.findings)) return validate(first.spec);
        const { translated, agent, unsupported } = first.coverage;
        return validate(first.spec) && translated + agent + unsupported === countLeaves(config);
      }),
      { numRuns: 200, seed: 21 },
    );
  },
);

t.test("empty documents have no leaves", async (t) => {
  for (const text of ["", "#cloud-config\n", "#cloud-config\n{}\n", "#firstlight\n"]) {
    t.strictSame(translateText(text).coverage, { translated: 0, agent: 0, unsupported: 0 }, text);
  }
});
