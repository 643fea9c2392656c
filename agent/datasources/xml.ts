/** An element of an XML document; attributes are not kept. */
export interface XmlElement {
  /** Without its prefix. */
  readonly name: string;
  readonly elements: readonly XmlElement[];
  /** What stands in it beside its elements, without white space at the ends. */
  readonly text: string;
}

const mostElements = 20_000;
const deepest = 64;
const token =
  /<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<\?[\s\S]*?\?>|<\/([\w:.-]+)\s*>|<([A-Za-z_][\w:.-]*)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|([^<]+)/y;
const entities: Readonly<Record<string, string>> = {
  ...{ lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" },
};

/**
 * The root of an XML document (https://www.w3.org/TR/xml/), or `undefined` where a text is none, says a
 * type of itself (which may define entities without end), or is deeper than 64 elements.
 */
export function readXml(text: string): XmlElement | undefined {
  const open: { name: string; full: string; elements: XmlElement[]; text: string }[] = [
    { name: "", full: "", elements: [], text: "" },
  ];
  const close = (): void => {
    const { name, elements, text: inner } = open.pop() ?? { name: "", elements: [], text: "" };
    open.at(-1)?.elements.push({ name, elements, text: inner.trim() });
  };
  token.lastIndex = text.startsWith("\ufeff") ? 1 : 0;
  for (let count = 0; token.lastIndex < text.length; ) {
    const found = token.exec(text);
    const current = open.at(-1);
    if (found === null || current === undefined) return undefined;
    const [, raw, ended, started, , selfClosed, plain] = found;
    if (raw !== undefined) current.text += raw;
    else if (plain !== undefined) {
      const decoded = decode(plain);
      if (decoded === undefined) return undefined;
      current.text += decoded;
    } else if (started !== undefined) {
      count += 1;
      if (count > mostElements || open.length > deepest) return undefined;
      open.push({ name: started.replace(/^.*:/, ""), full: started, elements: [], text: "" });
      if (selfClosed === "/") close();
    } else if (ended !== undefined) {
      if (open.length === 1 || current.full !== ended) return undefined;
      close();
    }
  }
  const [document, ...unclosed] = open;
  const isWhole = unclosed.length === 0 && document?.text.trim() === "";
  return isWhole && document.elements.length === 1 ? document.elements[0] : undefined;
}

/** The first element at a path of names below another. */
export function elementAt(
  element: XmlElement | undefined,
  ...names: readonly string[]
): XmlElement | undefined {
  return names.reduce<XmlElement | undefined>(
    (at, name) => at?.elements.find((each) => each.name === name),
    element,
  );
}

/** A text as it stands in an element. */
export function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function decode(text: string): string | undefined {
  let isGood = true;
  const decoded = text.replace(/&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(\w{1,8}));|&/g, (...found) => {
    const [, decimal, hex, name] = found as (string | undefined)[];
    const point = decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number(decimal);
    const entity = name === undefined ? undefined : entities[name];
    if (entity !== undefined) return entity;
    if (name === undefined && point > 0 && point <= 0x10ffff) return String.fromCodePoint(point);
    isGood = false;
    return "";
  });
  return isGood ? decoded : undefined;
}
