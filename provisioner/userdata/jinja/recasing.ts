/** The first letter large and all others small, as Python's `str.capitalize`: of a ß it makes Ss. */
export function capitalized(text: string): string {
  const [first = ""] = text;
  const [large = "", ...others] = first.toUpperCase();
  return large + others.join("").toLowerCase() + text.slice(first.length).toLowerCase();
}

/** Each word so, where words are what Jinja2's filter `title` takes for them (`jinja2.filters.do_title`). */
export function titled(text: string): string {
  return text
    .split(/([-\s({[<]+)/)
    .map((word) => {
      const [first = ""] = word;
      return first.toUpperCase() + word.slice(first.length).toLowerCase();
    })
    .join("");
}
