/**
 * A template as people write them for cloud-init: a document of cloud-config, or a script, with values
 * of instance data, conditions on the cloud, loops over keys, filters and fallbacks; in one of eight a
 * line that somebody has forgotten to end, or a name that is not there.
 */
export function randomTemplate(random: () => number): string {
  const writer = new TemplateWriter(random);
  return writer.template();
}

const texts = [
  ...["v1.local_hostname", "local_hostname", "v1.cloud_name", "cloud_name", "v1.instance_id"],
  ...["v1.availability_zone", "availability_zone", "v1['instance-id']", "instance_id"],
  ...["ds.meta_data.public_ipv4", "ds['meta_data']['public-ipv4']", "ds.meta_data.tags.role"],
  ...["ds.meta_data.tags['cost-centre']", "ds.meta_data.tags.cost_centre", "v1.region"],
  ...[
    "ds.meta_data.empty",
    "public_ssh_keys[0]",
    "public_ssh_keys | first",
    "ds.meta_data.list[1]",
  ],
];
const absent = [
  "ds.meta_data.missing",
  "missing",
  "v1.subplatform_name",
  "ds.meta_data.tags.owner",
];
const numbers = ["ds.meta_data.count", "public_ssh_keys | length", "ds.meta_data.ratio", "loops"];
const lists = [
  "public_ssh_keys",
  "v1.public_ssh_keys",
  "ds.meta_data.list",
  "ds.meta_data.nothing",
];
const truths = ["ds.meta_data.on", "ds.meta_data.off", "true", "public_ssh_keys", "v1.region"];
const words = ["aws", "edge", "eu-1a", "web", "none", "prod", "a b", "it is", ""];
const keys = ["hostname", "fqdn", "timezone", "locale", "password", "path", "content", "- name"];

class TemplateWriter {
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  template(): string {
    const head = this.#one(["#cloud-config", "#cloud-config", "#!/bin/sh", "#cloud-boothook"]);
    const lines = Array.from({ length: 1 + this.#below(8) }, () => this.#line(0));
    const text = [head, ...lines].join("\n");
    return this.#chance(0.9) ? `${text}\n` : text;
  }

  #line(depth: number): string {
    const kinds: readonly (() => string)[] = [
      ...[() => this.#pair(), () => this.#pair(), () => this.#pair()],
      ...[() => `  - echo ${this.#printed()} > /etc/${this.#one(["a", "motd"])}`],
      ...[() => `# a comment of YAML: 100 % as it stands, $HOME and $\{A:-b}`],
      ...[() => `{# ${this.#one(["a note", "{{ not rendered }}", "two\nlines"])} #}`],
      ...[() => `{% set role = ${this.#text()} %}\nrole: {{ role }}`],
      ...[() => `{% raw %}{{ ${this.#one(texts)} }}{% endraw %}`],
      ...(depth < 3 ? [() => this.#condition(depth), () => this.#loop(depth)] : []),
    ];
    return this.#one(kinds)();
  }

  #pair(): string {
    return `${this.#one(keys)}: ${this.#printed()}`;
  }

  #printed(): string {
    const quote = this.#one(["", "", '"', "'"]);
    const parts = Array.from({ length: 1 + this.#below(2) }, () => {
      const [open, close] = this.#one([
        ["{{ ", " }}"],
        ["{{ ", " }}"],
        ["{{", "}}"],
        ["{{- ", " -}}"],
      ] as const);
      return `${open}${this.#chance(0.8) ? this.#text() : this.#number()}${close}`;
    });
    return `${quote}${parts.join(this.#one(["", "-", ".", " "]))}${quote}`;
  }

  #text(): string {
    const value = this.#chance(0.1) ? this.#one(absent) : this.#one(texts);
    const filters: readonly (() => string)[] = [
      ...[() => value, () => value, () => value],
      ...[
        () => `${value} | default(${this.#word()})`,
        () => `${value} | default(${this.#word()}, true)`,
      ],
      ...[() => `${value} | upper`, () => `${value} | lower`, () => `${value} | trim`],
      ...[
        () => `${value} | replace(${this.#word()}, ${this.#word()})`,
        () => `${value} | capitalize`,
      ],
      ...[() => `${value} | string | title`, () => `${this.#one(lists)} | join(${this.#word()})`],
      ...[() => `${value} ~ ${this.#word()}`, () => `${this.#word()} ~ ${value}`],
      ...[() => `${value}.split('-')[0]`, () => `${value}.upper()`, () => `${value}[:4]`],
      ...[() => `${value}.replace('-', '_')`, () => `${value}.startswith('e')`],
      ...[() => `${value} if ${this.#test()} else ${this.#word()}`, () => this.#word()],
      ...[() => `(${value} | lower) ~ '.' ~ ${this.#word()}`],
      ...[() => `${this.#one(lists)} | tojson`, () => `${this.#one(lists)} | length`],
      ...[() => `${value} or ${this.#word()}`, () => `${value} and ${this.#word()}`],
      ...[() => this.#one(lists), () => `${value} | int`, () => `${value} | d(${this.#word()})`],
    ];
    return this.#one(filters)();
  }

  #number(): string {
    const value = this.#one(numbers);
    return this.#one([
      ...[value, `${value} + 1`, `${value} * 2`, `${value} // 2`, `${value} % 2`, `${value} / 2`],
      ...[`${value} - 7`, `(${value}) | int`, `${value} | string`, String(this.#below(300))],
    ]);
  }

  #test(): string {
    const text = this.#one(texts);
    return this.#one([
      ...[`${text} == ${this.#word()}`, `${text} != ${this.#word()}`, this.#one(truths)],
      ...[`not ${this.#one(truths)}`, `${text} is defined`, `${this.#one(absent)} is defined`],
      ...[`${this.#one(absent)} is not defined`, `${this.#word()} in ${text}`, `${text} is none`],
      ...[`${this.#word()} in ${this.#one(lists)}`, `${text} in ['aws', 'azure', 'gce']`],
      ...[`ds.meta_data.count > ${this.#below(6)}`, `${text} is string`, `${text}.startswith('e')`],
      ...[`${this.#one(truths)} and ${text} == ${this.#word()}`, `${this.#one(truths)} or ${text}`],
      ...[`${this.#one(lists)} | length >= ${this.#below(3)}`],
    ]);
  }

  #condition(depth: number): string {
    const [open, close] = this.#one([
      ["{% ", " %}"],
      ["{% ", " %}"],
      ["{%- ", " %}"],
      ["{%- ", " -%}"],
      ["  {% ", " %}"],
    ] as const);
    const parts = [`${open}if ${this.#test()}${close}`, this.#line(depth + 1)];
    if (this.#chance(0.3)) parts.push(`${open}elif ${this.#test()}${close}`, this.#line(depth + 1));
    if (this.#chance(0.5)) parts.push(`${open}else${close}`, this.#line(depth + 1));
    parts.push(this.#chance(0.99) ? `${open}endif${close}` : "");
    return parts.join("\n");
  }

  #loop(depth: number): string {
    const [over, names] = this.#one([
      [this.#one(lists), "item"],
      [this.#one(lists), "item"],
      ["ds.meta_data.tags.items()", "key, item"],
      ["ds.meta_data.tags | dictsort", "key, item"],
      [`range(${this.#below(4)})`, "item"],
      [`['a', 'b', ${this.#word()}]`, "item"],
    ] as const);
    const body = this.#one([
      ...[
        "  - {{ item }}",
        "  - '{{ loop.index }}: {{ item }}'",
        "{{ item }}{{ ',' if not loop.last }}",
      ],
      ...[`${this.#line(depth + 1)}`, "{% if loop.first %}first: {% endif %}{{ item }}"],
      ...["  {{ loop.index0 }} of {{ loop.length }}"],
    ]);
    const end = this.#chance(0.2) ? "{% else %}\nnone\n{% endfor %}" : "{% endfor %}";
    return `{% for ${names} in ${over} %}\n${body}\n${end}`;
  }

  #word(): string {
    const quote = this.#one(["'", "'", '"']);
    return `${quote}${this.#one(words)}${quote}`;
  }

  #one<T>(all: readonly T[]): T {
    return all[this.#below(all.length)] as T;
  }

  #below(end: number): number {
    return Math.floor(this.#random() * end);
  }

  #chance(part: number): boolean {
    return this.#random() < part;
  }
}
