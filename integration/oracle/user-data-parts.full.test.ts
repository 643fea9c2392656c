import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import t from "tap";
import { hasErrors } from "#core/finding.ts";
import { randomFrom } from "#core/random-from.ts";
import type { PartFormat } from "#provisioner/userdata/parts/part.ts";
import { splitUserData } from "#provisioner/userdata/parts/split.ts";
import { cloudInit } from "./ds-identify.ts";
import { randomMessage } from "./random-message.ts";

t.setTimeout(300_000);
const skip = process.geteuid?.() === 0 ? false : "SKIPPED: apt is used as root only";

const seed = Number(process.env["FIRSTLIGHT_SEED"] ?? 20_261_127);

/** Content types of cloud-init's handlers by what we call the part. */
const types: Readonly<Partial<Record<PartFormat, string>>> = {
  "cloud-config": "text/cloud-config",
  "cloud-config-jsonp": "text/cloud-config-jsonp",
  "cloud-boothook": "text/cloud-boothook",
  script: "text/x-shellscript",
  "script-per-boot": "text/x-shellscript-per-boot",
  "script-per-instance": "text/x-shellscript-per-instance",
  "script-per-once": "text/x-shellscript-per-once",
};

/** A part as its handler sees it. */
interface HandledPart {
  readonly type: string;
  /** `null` where it was given none. */
  readonly filename: string | null;
  readonly content: string;
}

const fetched = new Map<string, Uint8Array>([
  ["https://example.org/", Buffer.from("#cloud-config\nhostname: b\n")],
  ["https://a.example/config", Buffer.from("#cloud-config\nhostname: a\n")],
  ["https://a.example/packed", gzipSync("#!/bin/sh\ntrue\n")],
  [
    "https://a.example/parts",
    Buffer.from(
      "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n#cloud-boothook\n#!/bin/sh\n--b\nContent-Type: text/x-include-url\n\nhttps://a.example/config\n--b--\n",
    ),
  ],
]);

const documents: readonly (string | Uint8Array)[] = [
  "",
  "#cloud-config\nhostname: a\n",
  "#Cloud-Config\nhostname: a\n",
  "#!/bin/sh\ntrue\n",
  "  \n#cloud-boothook\n#!/bin/sh\n",
  '#cloud-config-jsonp\n[{"op": "add", "path": "/a", "value": 1}]\n',
  gzipSync("#cloud-config\nhostname: a\n"),
  gzipSync("MIME-Version: 1.0\nContent-Type: text/plain\n\n#!/bin/sh\n"),
  "#cloud-config\nnote: |\n  MIME-Version: 1.0\n",
  "prose\n",
  "#include\nhttps://a.example/config\nhttps://a.example/packed\n",
  "#include https://a.example/config\n# https://a.example/packed\n\n  https://a.example/parts  \n",
  "#INCLUDE\nhttps://a.example/config\n#include https://a.example/packed\n",
  "MIME-Version: 1.0\nContent-Type: text/x-include-url\n\nhttps://a.example/parts\n",
  "#cloud-config-archive\n- type: text/x-shellscript\n  filename: a.sh\n  content: |\n    #!/bin/sh\n    true\n- '#!/bin/sh'\n- 'hostname: a'\n- content: '#cloud-boothook'\n- type: text/cloud-config\n  content: 'a: 1'\n- 7\n",
  "#cloud-config-archive\n[]\n",
  `MIME-Version: 1.0\nContent-Type: application/x-gzip; name="a.cfg"\nContent-Transfer-Encoding: base64\n\n${gzipSync("#cloud-config\n{}\n").toString("base64")}\n`,
  "MIME-Version: 1.0\nContent-Type: text/x-shellscript\n\n#cloud-config\n{}\n",
  "MIME-Version: 1.0\nContent-Type: text/x-shellscript\n\necho hello\n",
  "MIME-Version: 1.0\nContent-Type: text/cloud-config\n\n#!/bin/sh\n",
];

const oracle = `
import base64, importlib, json, sys, tempfile
from unittest import mock
for name in ("configobj", "requests"):  # they have no part in it
    try:
        importlib.import_module(name)
    except ImportError:
        sys.modules[name] = mock.MagicMock()
from cloudinit import helpers, user_data, util
given = json.load(sys.stdin)
fetched = {name: base64.b64decode(each) for name, each in given["fetched"].items()}
class Answer:
    code = 200
    def __init__(self, contents):
        self.contents = contents
    def ok(self):
        return True
user_data.read_file_or_url = lambda url, **_: Answer(fetched[url])
home = tempfile.mkdtemp()
processor = user_data.UserDataProcessor(helpers.Paths({"cloud_dir": home, "run_dir": home}))
def one(raw):
    found = []
    for part in processor.process(raw).walk():
        if part.get_content_maintype() == "multipart":
            continue
        content = util.fully_decoded_payload(part)
        if isinstance(content, str):
            content = content.encode("utf-8", "surrogateescape")
        if part.get_content_type() not in given["types"]:
            continue
        name = part.get_filename()
        found.append({
            "type": part.get_content_type(),
            "filename": None if name.startswith("part-") else name,
            "content": base64.b64encode(content).decode(),
        })
    return found
def tried(raw):
    try:
        return one(raw)
    except Exception as error:
        return repr(error)
json.dump([tried(base64.b64decode(each)) for each in given["documents"]], sys.stdout)
`;

/** `undefined` where we refuse what cloud-init takes as far as it can: `docs/user-data.md` says what. */
function ours(bytes: Uint8Array): readonly HandledPart[] | undefined {
  const { parts, findings } = splitUserData({ document: "user-data", bytes }, { fetched });
  if (hasErrors(findings)) return undefined;
  return parts.flatMap(({ format, filename, content }) => {
    const type = types[format];
    if (type === undefined) return [];
    return [{ type, filename, content: Buffer.from(content).toString("base64") }];
  });
}

t.test(
  `cloud-init takes documents apart the same (FIRSTLIGHT_SEED=${seed})`,
  { skip },
  async (t) => {
    const random = randomFrom(seed);
    const messages = Array.from({ length: 1_500 }, () => randomMessage(random)).filter(isAlike);
    const all = [...documents.map((each) => Buffer.from(each as string)), ...messages];
    const script = path.join(t.testdir({}), "parts-oracle.py");
    writeFileSync(script, oracle);
    const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
    const input = JSON.stringify({
      documents: all.map(base64),
      fetched: Object.fromEntries([...fetched].map(([name, bytes]) => [name, base64(bytes)])),
      types: Object.values(types),
    });
    const env = {
      ...process.env,
      PYTHONPATH: path.join(await cloudInit(), "usr/lib/python3/dist-packages"),
    };
    const said = execFileSync("python3", [script], {
      input,
      env,
      encoding: "utf8",
      maxBuffer: 2 ** 28,
    });
    const theirs = JSON.parse(said) as readonly (readonly HandledPart[] | string)[];
    let [compared, parts] = [0, 0];
    for (const [index, document] of all.entries()) {
      const mine = ours(document);
      if (mine === undefined) continue;
      const wanted = theirs[index];
      const named = Array.isArray(wanted)
        ? mine.map((part, at) => asNamed(part, wanted[at]))
        : mine;
      t.same(named, wanted, JSON.stringify(document.toString("latin1")));
      compared += 1;
      parts += mine.length;
    }
    t.comment(`${compared} of ${all.length} are compared, ${parts} parts`);
    t.ok(compared > 250 && parts > compared, `${compared} documents, ${parts} parts`);
  },
);

/** cloud-init loses the `name` of a type that it puts another one in the place of. */
function asNamed(part: HandledPart, wanted: HandledPart | undefined): HandledPart {
  return wanted?.filename === null ? { ...part, filename: null } : part;
}

/** Where cloud-init does what nobody wants: bytes beyond ASCII, and messages in messages, which it takes twice. */
function isAlike(message: Uint8Array): boolean {
  const text = Buffer.from(message).toString("latin1");
  return !/[\x80-\xff]|message\/rfc822|multipart\/digest/i.test(text);
}
