import path from "node:path";
import t from "tap";
import { hostIo } from "#core/host-io.ts";
import { renderInChild } from "#provisioner/userdata/jinja/render.ts";

t.setTimeout(300_000);

const program = path.join(import.meta.dirname, "../dist/firstlight.js");
const argv = [process.execPath, "--max-old-space-size=128", program, "jinja"] as const;

/** Templates that would hang, fill the memory, or reach what is no variable. */
const hostile: Readonly<Record<string, RegExp>> = {
  "{% for i in range(10**9) %}x{% endfor %}": /^PROBLEM range: more than/,
  "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}":
    /^PROBLEM (?:more than \d+ steps|it was not rendered within)/,
  "{% for i in range(99999) %}{{ long }}{% endfor %}": /^PROBLEM more than \d+ characters/,
  "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}": /^PROBLEM /,
  "{{ 'x' | indent(10**9) }}{{ long | indent(10**9, true) }}": /^/,
  "{{ long | replace('x', long) | replace('x', long) | replace('x', long) }}": /^/,
  "{{ [long] * 10**9 }}": /^/,
  [`${"{{ (".repeat(1)}${"(".repeat(50_000)}1${")".repeat(50_000)}) }}`]: /^PROBLEM /,
  "{{ ''.constructor }}": /constructor$/,
  "{{ ''.constructor.constructor('return process')() }}": /^PROBLEM /,
  "{{ ''.__class__.__mro__ }}": /^PROBLEM /,
  "{{ range.constructor }}{{ v1.constructor }}{{ v1.__proto__ }}":
    /^(?:CI_MISSING_JINJA_VAR\/\w+)+$/,
  "{{ v1['__proto__']['polluted'] }}": /^PROBLEM /,
  "{{ process }} {{ globalThis }} {{ require }} {{ self }} {{ cycler }}":
    /^(?:CI_MISSING_JINJA_VAR\/\w+ ?)+$/,
  [`{{ ${"(".repeat(60)}none${" != none)".repeat(60)} }}`]: /^True$/,
  [`{{ ${"d['x' ~ ".repeat(60)}'y'${"]".repeat(60)} }}`]: /^CI_MISSING/,
  "{% set n = namespace(x=[1]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x == [n.x, 1] }}":
    /^False$/,
  "{% set n = namespace(x=[1], y=[1]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% set n.y = [n.y, n.y] %}{% endfor %}{{ n.x == n.y }}":
    /^PROBLEM it was not rendered within/,
  "{% set n = namespace(x=[1]) %}{% for i in range(50000) %}{% set n.x = [n.x] %}{% endfor %}{{ n.x == [n.x] }}":
    /^PROBLEM it is too large, or nested too deeply/,
  "{% include '/etc/passwd' %}{% import 'x' as y %}": /^PROBLEM /,
};

t.test(
  "whatever a template asks for, it ends, and reaches nothing but its variables",
  async (t) => {
    const io = hostIo({ root: "/", env: process.env });
    const variables = { v1: { a: 1 }, d: {}, long: "x".repeat(10_000) };
    for (const [template, expected] of Object.entries(hostile)) {
      const started = performance.now();
      const answer = await renderInChild(io, argv, { template, variables });
      const said = "text" in answer ? answer.text : `PROBLEM ${answer.problem}`;
      const name = template.slice(0, 60);
      t.match(said.slice(0, 500), expected, name);
      t.ok(said.length <= 34_000_000, `${said.length} characters`);
      t.ok(performance.now() - started < 20_000, name);
      t.comment(`${Math.round(performance.now() - started)} ms: ${said.slice(0, 60)}`);
    }
  },
);
