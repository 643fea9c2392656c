import { execFileSync } from "node:child_process";
import path from "node:path";
import type { Json } from "#core/canonical-json.ts";
import { fc } from "#core/fast-check.ts";
import { cached } from "../boot/cache.ts";
import { cloudInit } from "./ds-identify.ts";

/** A part as text, with its header. */
export interface CasePart {
  readonly text: string;
  readonly mergeType?: string;
}

/** Parts of user-data, vendor-data2 and vendor-data. */
export interface MergeCase {
  readonly kinds: readonly (readonly CasePart[])[];
}

const key = fc.constantFrom("a", "b", "c", "d~", "e/f", "__proto__", "1");
const leaf: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>("x", "y", "", "zed", 0, 1, 2, true, false, null),
  fc.constantFrom<Json>("x", "y"),
);
const { value } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(key, tie("value"), { maxKeys: 3, noNullPrototype: true }),
  ),
}));
const mapping = fc.dictionary(key, value, { maxKeys: 4, noNullPrototype: true });

const option = fc.constantFrom(
  ...["append", "prepend", "replace", "no_replace", "allow_delete", "recurse_str"],
  ...["recurse_list", "recurse_array", "recurse_dict", "other"],
);
const options = fc.array(option, { maxLength: 4 });
const name = fc.oneof(
  { weight: 40, arbitrary: fc.constantFrom("dict", "list", "str") },
  { weight: 1, arbitrary: fc.constantFrom("m_dict", "m_list", "m-str", "Dict", "tuple", "") },
);
const merger = fc.tuple(name, options);
/** Mostly with a merger of mappings, without which nothing happens. */
const mergers = fc
  .tuple(fc.array(merger, { maxLength: 3 }), options, fc.boolean())
  .map(([others, ofDict, isFirst]) =>
    isFirst ? [["dict", ofDict] as const, ...others] : [...others, ["dict", ofDict] as const],
  );
const asText = fc
  .tuple(
    fc.oneof(
      { weight: 8, arbitrary: mergers },
      { weight: 1, arbitrary: fc.array(merger, { maxLength: 2 }) },
    ),
    fc.boolean(),
  )
  .map(([all, isUpper]) => {
    const text = all.map(([one, of]) => `${one}(${of.join(", ")})`).join(" + ");
    return isUpper ? text.toUpperCase().replaceAll("_", "-") : text;
  });
const how = fc.oneof(
  { weight: 8, arbitrary: asText as fc.Arbitrary<Json> },
  {
    weight: 2,
    arbitrary: mergers.map((all) => all.map(([one, settings]) => ({ name: one, settings }))),
  },
  { weight: 2, arbitrary: mergers.map((all) => all.map(([one, of]) => [one, ...of])) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Json>(
      ...[null, "", [], {}, 0, true, "dict", "dict(", "dict() list()", ["dict()"], [[]], [null]],
      ...[[{ name: "dict" }], [{ name: "dict", settings: "replace" }], [["dict", 1]], { a: 1 }],
      ...[[{ name: "dict", settings: { replace: 0 } }], [{ name: "dict", settings: null }]],
    ),
  },
);

const header = fc.option(fc.oneof(asText, fc.constantFrom("", "x")), { nil: undefined, freq: 5 });
const configPart = fc
  .record({
    config: mapping,
    merge_how: fc.option(how, { nil: undefined, freq: 2 }),
    merge_type: fc.option(how, { nil: undefined, freq: 4 }),
    mergeType: header,
  })
  .map(({ config, mergeType, ...said }): CasePart => {
    const text = `#cloud-config\n${toJson({ ...said, config })}\n`;
    return mergeType === undefined ? { text } : { text, mergeType };
  });

/** `__proto__` is a key like any other. */
function toJson({ config, ...said }: { readonly [key: string]: Json | undefined }): string {
  const inner = JSON.stringify(config).slice(1, -1);
  const mergers = JSON.stringify(said).slice(1, -1);
  return `{${[inner, mergers].filter((each) => each !== "").join(", ")}}`;
}

const pointer = fc
  .array(fc.constantFrom("a", "b", "c", "d~0", "e~1f", "0", "1", "2", "-", "01", "__proto__"), {
    maxLength: 3,
  })
  .map((keys) => keys.map((each) => `/${each}`).join(""));
const operation = fc.record(
  {
    op: fc.constantFrom("add", "add", "remove", "replace", "move", "copy", "test"),
    path: pointer,
    from: pointer,
    value,
  },
  { requiredKeys: ["op", "path", "from", "value"], noNullPrototype: true },
);
const patchPart = fc
  .array(operation, { minLength: 1, maxLength: 3 })
  .map(
    (operations): CasePart => ({ text: `#cloud-config-jsonp\n${JSON.stringify(operations)}\n` }),
  );

const parts = fc.array(
  fc.oneof({ weight: 5, arbitrary: configPart }, { weight: 2, arbitrary: patchPart }),
  { minLength: 1, maxLength: 4 },
);
const vendorParts = fc.array(configPart, { maxLength: 2 });

/** Parts of all kinds, with every way to say how they are merged, right and wrong. */
export const mergeCases: fc.Arbitrary<MergeCase> = fc
  .tuple(parts, vendorParts, vendorParts)
  .map((kinds) => ({ kinds }));

/** Paths of Python for cloud-init and what it merges with. */
export async function cloudInitForMerging(): Promise<string> {
  const packages = await cached("merge-oracle", ["bookworm"], async (staging) => {
    const options = { cwd: staging, stdio: "inherit" as const };
    const names = ["python3-jsonpatch", "python3-json-pointer"];
    const lock = ["-o", "DPkg::Lock::Timeout=300"];
    execFileSync("apt-get", ["download", "-q", ...lock, ...names], {
      ...options,
      timeout: 120_000,
    });
    execFileSync("sh", ["-c", "for f in *.deb; do dpkg-deb -x $f . && rm $f; done"], options);
  });
  const inside = "usr/lib/python3/dist-packages";
  return [await cloudInit(), packages].map((root) => path.join(root, inside)).join(":");
}

/** What cloud-init's handler makes of the parts, and its reader of the files that it leaves. */
export const mergeOracle = `
import json, logging, sys
from unittest import mock
import yaml
from cloudinit import util
from cloudinit.handlers.cloud_config import CloudConfigPartHandler
logging.disable(logging.CRITICAL)
def parts_of(parts):
    handler = CloudConfigPartHandler(mock.MagicMock())
    handler.handle_part(None, "__begin__", None, None, None, None)
    for part in parts:
        text = part["text"]
        kind = "text/cloud-config"
        if text.startswith("#cloud-config-jsonp"):
            kind = "text/cloud-config-jsonp"
        headers = {"Content-Type": kind}
        if "mergeType" in part:
            headers["Merge-Type"] = part["mergeType"]
        handler.handle_part(None, kind, "part", text, None, headers)
    return handler.cloud_buf if handler.file_names else None
def kinds_of(case):
    kinds = [parts_of(parts) for parts in case["kinds"]]
    kinds = [each if isinstance(each, dict) else None for each in kinds]
    copies = yaml.safe_load(yaml.safe_dump(kinds, sort_keys=False))
    try:
        combined = util.mergemanydict([each for each in copies if each])
    except Exception:
        combined = None
    said = {"kinds": kinds}
    if combined is not None:
        said["combined"] = combined
    return said
json.dump([kinds_of(case) for case in json.load(sys.stdin)], sys.stdout)
`;
