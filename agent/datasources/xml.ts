/** An element of an XML document. */
export interface XmlElement {
  /** Without its prefix. */
  readonly name: string;
  /** Values by name, without its prefix; of two names that differ in it the first. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly elements: readonly XmlElement[];
  /** What stands in it beside its elements, without white space at the ends. */
  readonly text: string;
}

const mostElements = 20_000;
const deepest = 64;
const token =
  /<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<\?[\s\S]*?\?>|<\/([\w:.-]+)\s*>|<([A-Za-z_][\w:.-]*)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|([^<]+)/y;
const attribute = /([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const entities: Readonly<Record<string, string>> = {
  ...{ lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" },
};

/**
 * The root of an XML document (https://www.w3.org/TR/xml/), or `undefined` where a text is none, says a
 * type of itself (which may define entities without end), or is deeper than 64 elements.
 */
export function readXml(text: string): XmlElement | undefined {
  const open: Open[] = [opened("", new Map())];
  const close = (): void => {
    const { full, ...element } = open.pop() ?? opened("", new Map());
    open.at(-1)?.elements.push({ ...element, text: element.text.trim() });
  };
  token.lastIndex = text.startsWith("\ufeff") ? 1 : 0;
  for (let count = 0; token.lastIndex < text.length; ) {
    const found = token.exec(text);
    const current = open.at(-1);
    if (found === null || current === undefined) return undefined;
    const [, raw, ended, started, written, selfClosed, plain] = found;
    if (raw !== undefined) current.text += raw;
    else if (plain !== undefined) {
      const decoded = decode(plain);
      if (decoded === undefined) return undefined;
      current.text += decoded;
    } else if (started !== undefined) {
      count += 1;
      if (count > mostElements || open.length > deepest) return undefined;
      const attributes = readAttributes(written ?? "");
      if (attributes === undefined) return undefined;
      open.push(opened(started, attributes));
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

/** An element that is being read. */
interface Open extends XmlElement {
  readonly full: string;
  readonly elements: XmlElement[];
  text: string;
}

function opened(full: string, attributes: ReadonlyMap<string, string>): Open {
  return { name: localName(full), full, attributes, elements: [], text: "" };
}

function localName(name: string): string {
  return name.replace(/^.*:/, "");
}

/** White space in a value is spaces (XML 3.3.3). */
function readAttributes(written: string): ReadonlyMap<string, string> | undefined {
  const attributes = new Map<string, string>();
  for (const [, name = "", double, single] of written.matchAll(attribute)) {
    const value = decode((double ?? single ?? "").replace(/\r\n|[\t\r\n]/g, " "));
    if (value === undefined) return undefined;
    if (!attributes.has(localName(name))) attributes.set(localName(name), value);
  }
  return attributes;
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
