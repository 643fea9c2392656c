import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import t, { type Test } from "tap";
import { randomFrom } from "#core/random-from.ts";
import { answerTemplate } from "#provisioner/userdata/jinja/child.ts";
import { templateVariables } from "#provisioner/userdata/jinja/variables.ts";
import { cloudInit } from "./ds-identify.ts";
import { randomTemplate } from "./random-template.ts";

t.setTimeout(300_000);
const count = Number(process.env["JINJA_TEMPLATES"] ?? 1000);
const seed = Number(process.env["JINJA_SEED"] ?? 20_261_127);
const skip = process.geteuid?.() === 0 ? false : "SKIPPED: apt is used as root only";

const data = {
  v1: {
    "availability-zone": "eu-1a",
    availability_zone: "eu-1a",
    cloud_name: "aws",
    "instance-id": "i-1",
    instance_id: "i-1",
    local_hostname: "edge-7",
    public_ssh_keys: ["ssh-ed25519 AAAA a", "ssh-ed25519 BBBB b"],
    region: null,
  },
  ds: {
    meta_data: {
      "public-ipv4": "192.0.2.1",
      count: 3,
      ratio: 1.5,
      whole: 2.5,
      on: true,
      off: false,
      tags: { role: "web", "cost-centre": "7", quote: "it's", both: `"'`, nl: "a\nb\tc\\" },
      list: [1, "two", null, true, { three: 3 }],
      empty: "",
      nothing: [],
    },
    "v1.0": { "user.network-config": "x" },
  },
  ...{
    l: [1, 2],
    l2: [1, 2],
    d: { x: 1, e: [] },
    e: [],
    s: "str",
    n: 5,
    t: true,
    nul: null,
    f: 1.5,
  },
} as const;

/** More of them: those that are the same by what they are about, those that differ by why. */
const further = JSON.parse(
  readFileSync(path.join(import.meta.dirname, "jinja-templates.json"), "utf8"),
) as {
  readonly same: Readonly<Record<string, readonly string[]>>;
  readonly refused: readonly string[];
  readonly different: Readonly<Record<string, readonly string[]>>;
};

/** Templates; the second half are those that a person gets wrong, and hostile ones. */
const templates: readonly string[] = [
  ...["{{ v1.local_hostname }}", "{{ local_hostname }}", "{{ v1['instance-id'] }}", "plain"],
  ...[
    "{{ ds.meta_data.public_ipv4 }}",
    "{{ ds['meta_data']['public-ipv4'] }}",
    "{{ instance_id }}",
  ],
  ...[
    "{{ ds.v1_0.user_network_config }}",
    "{{ ds.meta_data.tags.cost_centre }}",
    "{{ ds.meta_data.on }}",
  ],
  ...["{{ ds.meta_data.count }}", "{{ ds.meta_data.ratio }}", "{{ ds.meta_data.count + 1 }}"],
  ...["{{ 0.00001 }}", "{{ -7 % 3 }}", "{{ 7 // 2 }}", "{{ 1 / 0 }}", "{{ 1.5 % 0 }}"],
  ...[
    "{{ ds.meta_data.off }}",
    "{{ v1.region }}",
    "{{ ds.meta_data.list }}",
    "{{ ds.meta_data.tags.quote }}",
  ],
  ...["{{ public_ssh_keys }}", "{{ public_ssh_keys[0] }}", "{{ public_ssh_keys | length }}"],
  ...[
    "{{ public_ssh_keys | join(',') }}",
    "{{ public_ssh_keys | first }}",
    "{{ cloud_name | upper }}",
  ],
  ...[
    "{{ cloud_name.upper() }}",
    "{{ cloud_name | title }}",
    "{{ cloud_name ~ '-' ~ local_hostname }}",
  ],
  ...["{% if v1.cloud_name == 'aws' %}yes{% else %}no{% endif %}", "{{ 'a' if on else 'b' }}"],
  ...["{% for key in public_ssh_keys %}\n- {{ key }}\n{% endfor %}\n", "a\n{# note #}\nb\n"],
  ...["{% for key in public_ssh_keys %}{{ loop.index }}:{{ loop.last }} {% endfor %}"],
  ...["{% for key, value in ds.meta_data.tags | dictsort %}{{ key }}={{ value }};{% endfor %}"],
  ...[
    "{% set a = 'x' %}{{ a }}{{ a }}",
    "{%- if true -%}\n  x  \n{%- endif -%}\n y",
    "  {% if true %}\nx\n  {% endif %}\ny\n",
  ],
  ...["{{ ds.meta_data.missing | default('d') }}", "{{ missing }}", "{{ ds.meta_data.missing }}"],
  ...[
    "{{ ds['no-such'] }}",
    "{{ missing.more }}",
    "{{ ds.missing.more }}",
    "{{ missing | default('x') }}",
  ],
  ...[
    "{% if missing %}a{% else %}b{% endif %}",
    "{% if missing is defined %}a{% else %}b{% endif %}",
  ],
  ...["{% for x in missing %}{{ x }}{% endfor %}.", "{{ missing ~ 'x' }}", "{{ missing | upper }}"],
  ...["{{ ds.meta_data.empty }}", "{{ ds.meta_data.nothing }}", "{{ ds.meta_data.tags['both'] }}"],
  ...[
    "{{ v1.local_hostname.split('-')[1] }}",
    "{{ v1.local_hostname[:4] }}",
    "{{ v1.local_hostname[-1] }}",
  ],
  ...[
    "{{ local_hostname | replace('edge', 'node') }}",
    "{{ 7 // 2 }} {{ 7 % 2 }} {{ 2 * 3 }} {{ 7 / 2 }}",
  ],
  ...[
    "{{ 4 / 2 }}",
    "{{ [1, 2] }}",
    "{{ (1, 2) }}",
    "{{ {'a': 1} }}",
    "{{ true and 'x' }}",
    "{{ not true }}",
  ],
  ...[
    "{{ 'a' in 'abc' }}",
    "{{ 1 < 2 }}",
    "{{ 'x' is string }}",
    "{{ none }}",
    "{{ None }}",
    "{{ True }}",
  ],
  ...[
    "{% for i in range(3) %}{{ i }}{% endfor %}",
    "{{ range(5) | list }}",
    "{{ range(1, 6, 2) | list }}",
  ],
  ...[
    "{{ ds.meta_data.tags.role | int }}",
    "{{ '3' | int + 1 }}",
    "{{ ds.meta_data.list | tojson }}",
  ],
  ...[
    "{% macro f(a) %}<{{ a }}>{% endmacro %}{{ f('x') }}",
    "{{ local_hostname | trim | capitalize }}",
  ],
  ...["{{", "{{ }}", "{% if %}", "{% endif %}", "{{ a b }}", "{{ v1.cloud-name }}", "{% for %}"],
  ...[
    "{{ 1 + 'a' }}",
    "{{ 1 == '1' }}",
    ...["{{ '1' != 1 }} {{ 'a' == missing }} {{ 1 == 1.0 }} {{ '' == 0 }}", "[{{ 1 if false }}]"],
    "{% if '1' == 1 %}a{% elif 'b' == 'b' %}c{% endif %}",
    "{{ '--a--'.strip('-') }}",
    "{{ {'b': 1, 'a': '<'} | tojson }}",
    "{{ 'abc' | list }}",
    "{{ missing | d('x') }}",
    "{{ [1, 2] | sum }}",
    "{{ 2.567 | round(2) }}",
    "{{ '%s' % 'a' }}",
    "{{ '%s' | format('a') }}",
    "{{ [1, none] | select | list }}",
    "{% with a = 1 %}{{ a }}{% endwith %}",
    "{{ nosuch() }}",
    "{{ v1 | nosuch }}",
    "#cloud-config\nhostname: {{ local_hostname }}\n",
  ],
  ...[
    "{{ v1.local_hostname }}\n",
    "a\n\n",
    "{{ 'a\\nb' }}",
    '{{ "it\'s" }}',
    "{{ 'é' }}",
    "é {{ cloud_name }} ü",
  ],
  ...[
    "a\r\nb\r\n",
    "{% if true %}\r\nx\r\n{% endif %}\r\ny\r\n",
    "{% raw %}{{ x }}{% endraw %}",
    "{% do 1 %}x",
    "{{ ds.meta_data.tags.nl }}",
    "{{ ds.meta_data.tags }}",
  ],
  ...Object.values(further.same).flat(),
  ...further.refused,
  ...Object.values(further.different).flat(),
];

/** Where we say otherwise, and why: `docs/decisions/0010-jinja.md`. */
const different: Readonly<Record<string, string>> = {
  ...Object.fromEntries(further.refused.map((template) => [template, "refused"])),
  ...Object.fromEntries(
    Object.entries(further.different).flatMap(([why, all]) => all.map((each) => [each, why])),
  ),
  "{{ '--a--'.strip('-') }}": "white space is what is taken off, whatever is named",
  "{{ {'b': 1, 'a': '<'} | tojson }}": "keys are in their order, and nothing is escaped for HTML",
  "{{ 'abc' | list }}": "the filter is known for lists only",
  "{{ [1, 2] | sum }}": "the filter is not known",
  "{{ 2.567 | round(2) }}": "the filter is not known",
  "{{ '%s' % 'a' }}": "texts have no operator `%`",
  "{{ '%s' | format('a') }}": "the filter is not known",
  "{{ [1, none] | select | list }}": "the filter is not known",
  "{% with a = 1 %}{{ a }}{% endwith %}": "the statement `with` is not known",
  "{% do 1 %}x": "the statement `do` is not known",
};

const variables = templateVariables(data as never);

const oracle = `
import json, sys
from cloudinit.handlers.jinja_template import convert_jinja_instance_data
from cloudinit.templater import render_string
given = json.load(sys.stdin)
names = convert_jinja_instance_data(given["data"], include_key_aliases=True)
def one(template):
    try:
        return render_string("## template: jinja\\n" + template, names)
    except Exception:
        return None
json.dump([one(each) for each in given["templates"]], sys.stdout)
`;

t.test("cloud-init renders the same", { skip }, async (t) => {
  const said = await renderedByCloudInit(t, templates);
  let same = 0;
  for (const [index, template] of templates.entries()) {
    const ours = rendered(template);
    const theirs = said[index];
    if (ours === theirs) same += 1;
    const reason = different[template];
    if (reason === undefined) t.equal(ours, theirs, JSON.stringify(template));
    else if (reason === "refused") t.equal(ours, null, JSON.stringify(template));
    else t.not(ours, theirs, `${JSON.stringify(template)}: ${reason}`);
  }
  t.comment(`${same} of ${templates.length} the same`);
});

t.test("a thousand generated templates are the same, but for one in fifty", { skip }, async (t) => {
  const random = randomFrom(seed);
  const generated = Array.from({ length: count }, () => randomTemplate(random));
  t.comment(`JINJA_SEED=${seed} JINJA_TEMPLATES=${count}`);
  const said = await renderedByCloudInit(t, generated);
  const refused = said.filter((text) => text === null).length;
  t.ok(refused > 0 && refused < count / 4, `${refused} that cloud-init refuses too`);
  const others = generated.filter((template, index) => rendered(template) !== said[index]);
  for (const template of others.slice(0, 20)) t.comment(JSON.stringify(template));
  t.ok(others.length <= count / 50, `${count - others.length} of ${count} the same`);
  // Where it is not the same it is refused, and not something else in silence.
  const silent = generated.filter((template, index) => {
    const ours = rendered(template);
    return ours !== null && ours !== said[index];
  });
  t.same(silent, []);
});

/** What firstlight makes of a template; `null` where it is refused. */
function rendered(template: string): string | null {
  const answer = answerTemplate({ template, variables });
  return "text" in answer ? answer.text : null;
}

async function renderedByCloudInit(
  t: Test,
  all: readonly string[],
): Promise<readonly (string | null)[]> {
  const script = path.join(t.testdir({}), "render.py");
  writeFileSync(script, oracle);
  const packages = path.join(await cloudInit(), "usr/lib/python3/dist-packages");
  const env = { ...process.env, PYTHONPATH: packages };
  const input = JSON.stringify({ data, templates: all });
  const maxBuffer = 64 * 1024 * 1024;
  return JSON.parse(execFileSync("python3", [script], { input, env, maxBuffer, encoding: "utf8" }));
}
