import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { randomFrom } from "#core/random-from.ts";
import { type MimePart, readMessage } from "#provisioner/userdata/parts/mime-message.ts";
import { partHeader } from "#provisioner/userdata/parts/part-header.ts";
import { transferDecode } from "#provisioner/userdata/parts/transfer-encoding.ts";
import { randomMessage } from "./random-message.ts";

t.setTimeout(300_000);

const seed = Number(process.env["FIRSTLIGHT_SEED"] ?? 20_261_127);
const count = 1_000;

/** What a part is for user-data, as both readers say it. */
interface ReadPart {
  readonly type: string;
  readonly filename: string | null;
  readonly mergeType: string | null;
  readonly launchIndex: string | null;
  /** In base64. */
  readonly content: string;
}

const oracle = `
import base64, email, json, sys
def leaves(message):
    return [each for each in message.walk() if not each.is_multipart()
            and each.get_content_maintype() not in ("multipart", "message")]
def one(raw):
    # bytes for the contents; text for the headers, as cloud-init reads them
    of_bytes = leaves(email.message_from_bytes(raw))
    of_text = leaves(email.message_from_string(raw.decode("utf-8", "surrogateescape")))
    assert len(of_bytes) == len(of_text)
    found = []
    for content, about in zip(of_bytes, of_text):
        fields = dict(about)
        merge = fields.get("Merge-Type") or fields.get("X-Merge-Type")
        index = about.get("Launch-Index")
        found.append({
            "type": about.get_content_type(),
            "filename": about.get_filename() or None,
            "mergeType": merge.strip() if merge else None,
            "launchIndex": None if index is None else index.strip(),
            "content": base64.b64encode(content.get_payload(decode=True)).decode(),
        })
    return found
json.dump([one(base64.b64decode(each)) for each in json.load(sys.stdin)], sys.stdout)
`;

function ours(part: MimePart): ReadPart {
  const { header, contentType, body } = part;
  const { filename, mergeType, launchIndex } = partHeader(header);
  const { bytes } = transferDecode(body, header.word("content-transfer-encoding"));
  const content = Buffer.from(bytes).toString("base64");
  return { type: contentType, filename, mergeType, launchIndex, content };
}

t.test(`Python's email reads the same (FIRSTLIGHT_SEED=${seed})`, async (t) => {
  const random = randomFrom(seed);
  const messages = Array.from({ length: count }, () => randomMessage(random));
  const script = path.join(t.testdir({}), "email-oracle.py");
  writeFileSync(script, oracle);
  const input = JSON.stringify(messages.map((each) => Buffer.from(each).toString("base64")));
  const said = execFileSync("python3", [script], {
    input,
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  const theirs = JSON.parse(said) as readonly (readonly ReadPart[])[];
  let [same, parts, damaged] = [0, 0, 0];
  for (const [index, message] of messages.entries()) {
    const read = readMessage(message);
    const mine = read.parts.map(ours);
    const isSame = JSON.stringify(mine) === JSON.stringify(theirs[index]);
    if (isSame) same += 1;
    else t.same(mine, theirs[index], JSON.stringify(Buffer.from(message).toString("latin1")));
    parts += mine.length;
    if (read.faults.length > 0) damaged += 1;
  }
  t.comment(`${same} of ${count} the same, ${parts} parts, ${damaged} with defects`);
  t.equal(same, count);
  t.ok(parts > 2.5 * count, `${parts} parts`);
  t.ok(damaged > count / 10 && damaged < 0.7 * count, `${damaged} with defects`);
});
