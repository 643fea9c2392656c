/** What each `pattern` of the schema of cloud-config wants, as it would be said. */
export const forms: Readonly<Record<string, string>> = {
  "^([0-9]+)?\\.?[0-9]+[BKMGT]$": "a size such as `512M` or `1.5G`",
  "^[-_0-9a-zA-Z]+(,[-_0-9a-zA-Z]+)*$": "tags with commas and no blanks between them",
  "^\\+?[0-9]+$": "minutes such as `+5`",
  "^.+:.+$": "an account and its password with : between them",
  "^[0-9]{4}-[0-9]{2}-[0-9]{2}$": "a day such as `2032-09-01`",
  "^[0-9]+$": "the number of a partition",
  '^[A-Za-z][A-Za-z0-9+.-]*:[^\\s{}<>|^`"]*$': "an address such as `https://example.org/`",
};
