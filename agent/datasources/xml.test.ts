import t from "tap";
import { elementAt, escapeXml, readXml } from "./xml.ts";

t.test("elements, texts and what stands for characters", async (t) => {
  const root = readXml(`\ufeff<?xml version="1.0" encoding="utf-8"?>
<!-- <not> & read -->
<a:Root xmlns:a='urn:x' b="1 > 0">
  one &lt;&#65;&#x42;&amp;&quot;&apos;&gt;
  <Sub a:nil="true" /><Sub>two</Sub ><![CDATA[ <&three]]>
  <Deep><Deeper>four</Deeper></Deep>
</a:Root>
`);
  t.equal(root?.name, "Root");
  t.match(root?.text, /^one <AB&"'>\s+<&three$/);
  t.same(
    root?.elements.map(({ name, text }) => [name, text]),
    [
      ["Sub", ""],
      ["Sub", "two"],
      ["Deep", ""],
    ],
  );
  t.same(root?.attributes.get("b"), "1 > 0");
  t.equal(elementAt(root, "Deep", "Deeper")?.text, "four");
  t.equal(elementAt(root, "Deep", "Sub"), undefined);
});

t.test("what is no XML, or may be without end, is not read", async (t) => {
  const wrong = [
    ...["", "text", "<a>", "</a>", "<a></b>", "<a/><b/>", "<a/>text", "<a b=c/>", '<a b="<"/>'],
    ...["<a>&nothing;</a>", "<a>& </a>", "<a>&#0;</a>", "<a>&#x110000;</a>", "<a><![CDATA[</a>"],
    '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    "<a>".repeat(70) + "</a>".repeat(70),
    `<a>${"<b/>".repeat(20_001)}</a>`,
  ];
  for (const text of wrong) t.equal(readXml(text), undefined, text.slice(0, 40));
});

t.test("attributes by their names without prefixes", async (t) => {
  const root = readXml(`<a o:key="x &lt;&#10;\n&amp;" key='2' oe:value = '"'/>`);
  t.same(Object.fromEntries(root?.attributes ?? []), { key: "x <\n &", value: '"' });
  t.equal(readXml('<a b="&nothing;"/>'), undefined);
});

t.test("white space without end is read in time", async (t) => {
  t.equal(readXml(`<a${" ".repeat(500_000)}`), undefined);
  t.equal(readXml(`<a ${" b".repeat(200_000)}`), undefined);
});

t.test("a text that is escaped is read as it was", async (t) => {
  for (const text of ["a<b>&amp;'\"", "]]>", "ä"])
    t.equal(readXml(`<a>${escapeXml(text)}</a>`)?.text, text);
});
