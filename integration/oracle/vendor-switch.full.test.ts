import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { readVendorSwitch } from "#provisioner/userdata/vendor-switch.ts";
import { readYamlTree } from "#provisioner/userdata/yaml.ts";
import { cloudInitForMerging } from "./merge-cases.ts";

t.setTimeout(300_000);
const skip = process.geteuid?.() === 0 ? false : "SKIPPED: apt is used as root only";

/** What stands under `vendor_data`. */
const switches = [
  ...["", "{}", "[]", "no", "yes", "text", "0", "~"],
  ...["{prefix: [nice]}", "{enabled: }", "{other: 1}"],
  ...["true", "false", "yes", "no", "on", "off", "1", "0", "1.0", "2", "[true]", "{a: true}"].map(
    (value) => `{enabled: ${value}}`,
  ),
  ...["true", " Yes ", "ON", "1", "enabled", "", "false", "y"].map(
    (value) => `{enabled: "${value}"}`,
  ),
  ...["[text/cloud-config]", "[]", "", "text/cloud-config", "text/cloud-config-jsonp", "{}"].map(
    (value) => `{disabled_handlers: ${value}}`,
  ),
  ...["[text/x-shellscript, text/cloud-boothook]", "[text/jinja2]", "[cloud-config]", "{a: 1}"].map(
    (value) => `{disabled_handlers: ${value}, enabled: true}`,
  ),
];

const formats = {
  "cloud-config": "text/cloud-config",
  "cloud-config-jsonp": "text/cloud-config-jsonp",
  script: "text/x-shellscript",
  "cloud-boothook": "text/cloud-boothook",
} as const;
const names = Object.keys(formats) as (keyof typeof formats)[];

const oracle = `
import json, logging, os, sys, types
from unittest import mock
try:
    import configobj
except ImportError:
    sys.modules["configobj"] = types.ModuleType("configobj")
    sys.modules["configobj"].ConfigObj = object
from cloudinit import handlers, settings, stages
logging.disable(logging.CRITICAL)
given = json.load(sys.stdin)
file = os.path.join(sys.argv[1], "cloud-config.txt")
def used(text, kind):
    with open(file, "w") as out:
        out.write(text)
    init = mock.MagicMock()
    init.cfg = {key: dict(settings.CFG_BUILTIN[key]) for key in ("vendor_data", "vendor_data2")}
    init._paths.get_ipath_cur = lambda name: file if name == "cloud_config" else None
    init.paths = init._paths
    init.ds.get_config_obj.return_value = {}
    stages.Init._consume_vendordata(init, kind)
    if not init._do_handlers.called:
        return None
    excluded = init._do_handlers.call_args[1]["excluded"]
    return [name for name in given["types"] if name not in (excluded or [])]
json.dump([[used(text, kind) for kind in ("vendordata", "vendordata2")] for text in given["texts"]], sys.stdout)
`;

t.test("cloud-init uses vendor-data by the same switches", { skip }, async (t) => {
  const home = t.testdir();
  const script = path.join(home, "switches.py");
  writeFileSync(script, oracle);
  const texts = [
    "#cloud-config\n{}\n",
    ...["vendor_data", "vendor_data2"].flatMap((key) =>
      switches.map((value) => `#cloud-config\n${key}: ${value}\n`),
    ),
  ];
  const env = { ...process.env, PYTHONPATH: await cloudInitForMerging() };
  const input = JSON.stringify({ texts, types: Object.values(formats) });
  const output = execFileSync("python3", [script, home], { input, env, encoding: "utf8" });
  const theirs = JSON.parse(output) as readonly (readonly [unknown, unknown])[];
  for (const [index, text] of texts.entries()) {
    const { root } = readYamlTree(text, { document: "user-data" });
    const ours = (["vendor-data", "vendor-data2"] as const).map((kind) => {
      const { isOn, leavesOut } = readVendorSwitch(root, kind);
      if (!isOn) return null;
      const isIn = (format: (typeof names)[number]) => !leavesOut({ format, isTemplate: false });
      return names.filter(isIn).map((name) => formats[name]);
    });
    t.strictSame(ours, theirs[index], text);
  }
});
