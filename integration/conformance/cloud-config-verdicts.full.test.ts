import t from "tap";
import { hasErrors } from "#core/finding.ts";
import { checkCloudConfig } from "#provisioner/userdata/cloud-config/schema/check.ts";
import { InputDocument } from "#provisioner/userdata/input-document.ts";
import { absent, type RecordedVerdict, readLines } from "./cloud-config-set.ts";

const verdicts = "cloud-config/schema-verdicts.jsonl";

/** Configs whose verdict is another one here on purpose, as JSON, with the reason. */
const differences: ReadonlyMap<string, string> = new Map([
  [
    '{"p1":"valid"}',
    "recorded with a schema of its own that knows `p1`; cloud-init's has no such key",
  ],
]);

t.test("each verdict is cloud-init's own", { skip: absent(verdicts) }, (t) => {
  const counts = { ok: 0, deprecated: 0, invalid: 0 };
  for (const { config, verdict } of readLines<RecordedVerdict>(verdicts)) {
    const text = JSON.stringify(config);
    const findings = checkCloudConfig(
      new InputDocument({ name: "c", value: config, locate: () => undefined }),
    );
    const mine = hasErrors(findings) ? "invalid" : findings.length > 0 ? "deprecated" : "ok";
    if (differences.has(text)) {
      t.not(mine, verdict, text);
      continue;
    }
    t.equal(mine, verdict, text);
    counts[mine] += 1;
  }
  t.ok(counts.ok > 60 && counts.deprecated > 15 && counts.invalid > 130, JSON.stringify(counts));
  t.end();
});
