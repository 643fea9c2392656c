import t from "tap";
import { translateCloud } from "../sample-translation.ts";
import { checkCases } from "./check-cases.ts";

const locale = (written: string, expected: string | undefined) => ({
  name: `locale ${written}`,
  yaml: `locale: ${written}\n`,
  spec: expected === undefined ? {} : { locale: expected },
});

checkCases(t, [
  locale("de_CH", "de_CH.UTF-8"),
  locale("de_CH.UTF-8", "de_CH.UTF-8"),
  locale("de_DE.ISO-8859-1@euro", "de_DE.ISO-8859-1@euro"),
  locale("de_DE@euro", "de_DE@euro"),
  locale("sr_RS@latin", "sr_RS@latin"),
  locale("C", "C"),
  locale("C.UTF-8", "C.UTF-8"),
  locale("POSIX", "POSIX"),
  locale("false", undefined),
  locale('"no"', undefined),
  {
    name: "true is no locale",
    yaml: "locale: true\n",
    spec: {},
    says: ["error user-data/wrong-type 2:9 locale"],
  },
  {
    name: "nothing is no locale",
    yaml: "locale:\n",
    spec: {},
    says: ["warning user-data/no-value 2:8 locale"],
  },
  {
    name: "its file has no meaning",
    yaml: "locale_configfile: /etc/default/locale\n",
    spec: {},
    says: ["note cloud-config/no-meaning 2:1 locale_configfile"],
  },
  {
    name: "a file that is no text is wrong all the same",
    yaml: "locale_configfile: 1\n",
    spec: {},
    says: ["warning cloud-config/no-meaning 2:1 locale_configfile"],
  },
  {
    name: "a time zone",
    yaml: "timezone: America/Argentina/Buenos_Aires\n",
    spec: { timezone: "America/Argentina/Buenos_Aires" },
  },
  ...["timezone", "locale", "keyboard.layout"].map((path) => {
    const [key, inner] = path.split(".");
    const written = inner === undefined ? `${key}: ""` : `${key}: {${inner}: "", variant: x}`;
    return {
      name: `an empty ${path} changes nothing`,
      yaml: `${written}\n`,
      spec: {},
      says: [`warning user-data/no-value 2:${written.indexOf('"') + 1} ${path}`],
    };
  }),
  {
    name: "a path is no time zone",
    yaml: "timezone: ../../etc/shadow\n",
    spec: {},
    says: ["error spec/invalid 2:11 timezone"],
  },
  {
    name: "a keyboard with all its keys",
    yaml: "keyboard: {layout: ch, variant: de, model: pc105, options: 'compose:ralt'}\n",
    spec: { keyboard: { layout: "ch", variant: "de", model: "pc105", options: "compose:ralt" } },
  },
  {
    name: "empty and missing parts of a keyboard are left out",
    yaml: "keyboard: {layout: us, variant: '', model: }\n",
    spec: { keyboard: { layout: "us" } },
    says: [
      "warning user-data/no-value 2:33 keyboard.variant",
      "warning user-data/no-value 2:43 keyboard.model",
    ],
  },
  {
    name: "a keyboard needs a layout",
    yaml: "keyboard: {model: pc105}\n",
    spec: {},
    says: ["error user-data/wrong-type 2:11 keyboard"],
  },
  {
    name: "a variant alone is a keyboard without a layout",
    yaml: "keyboard: {variant: x}\n",
    spec: {},
    says: ["error user-data/wrong-type 2:11 keyboard"],
  },
  {
    name: "a layout is text",
    yaml: "keyboard: {layout: 1}\n",
    spec: {},
    says: ["error user-data/wrong-type 2:20 keyboard.layout"],
  },
  {
    name: "values of other kinds, in every key",
    yaml: "timezone: [a]\nlocale: {b: c}\nlocale_configfile: [d]\nkeyboard: {layout: us, model: [e], variant: 7, options: [f]}\n",
    spec: { keyboard: { layout: "us" } },
    says: [
      "error user-data/wrong-type 2:11 timezone",
      "error user-data/wrong-type 3:9 locale",
      "warning cloud-config/no-meaning 4:1 locale_configfile",
      "error user-data/wrong-type 5:31 keyboard.model",
      "error user-data/wrong-type 5:45 keyboard.variant",
      "error user-data/wrong-type 5:57 keyboard.options",
    ],
  },
  {
    name: "a keyboard is a mapping, and knows no other keys",
    yaml: "keyboard: {layout: us, colour: red}\n",
    spec: { keyboard: { layout: "us" } },
    says: ["warning cloud-config/unsupported-key 2:24 keyboard.colour"],
  },
]);

t.test("what is missing of a keyboard is named", async (t) => {
  const { findings } = translateCloud("keyboard: {variant: x}\n");
  t.match(findings, [{ message: /^`layout` is missing/, hint: /layout: us/ }]);
});
