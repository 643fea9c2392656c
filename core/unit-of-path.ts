/** Name of the unit that systemd has for a path, as `systemd-escape --path --suffix=mount` prints it. */
export function unitOfPath(path: string, kind: "mount" | "automount" | "swap"): string {
  return `${escapedPath(path)}.${kind}`;
}

/** A path as it stands in the name of a unit; that of `/` is `-`. */
export function escapedPath(path: string): string {
  const plain = path.split("/").filter((part) => part !== "" && part !== ".");
  if (plain.length === 0) return "-";
  const escaped = [...Buffer.from(plain.join("/"), "utf8")].map((byte, at) => {
    const character = String.fromCharCode(byte);
    if (character === "/") return "-";
    const isPlain = /[A-Za-z0-9:_.]/.test(character) && !(at === 0 && character === ".");
    return isPlain ? character : `\\x${byte.toString(16).padStart(2, "0")}`;
  });
  return escaped.join("");
}
