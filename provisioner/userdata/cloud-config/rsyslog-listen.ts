import { isPort } from "./spec-option.ts";

/** A port that rsyslog is told to listen at. */
export interface ListeningPort {
  readonly protocol: "tcp" | "udp";
  readonly port: number;
}

const inputs: Readonly<Record<string, "tcp" | "udp">> = {
  ...{ imudp: "udp", imtcp: "tcp", imptcp: "tcp", imrelp: "tcp" },
  ...{ udpserverrun: "udp", inputtcpserverrun: "tcp", inputptcpserverrun: "tcp" },
  inputrelpserverrun: "tcp",
};
const loopback = /^(127\.|::1$|localhost$)/i;

/**
 * Where rules of rsyslog have it listen for others: `input(type="imudp" port="514")`, and `$UDPServerRun 514`
 * of the older form, after an `$UDPServerAddress` that counts for all below it.
 */
export function listeningPorts(rules: string): readonly ListeningPort[] {
  const text = rules.replace(/^[ \t]*#.*$/gm, "");
  const found = new Map<string, ListeningPort>();
  const add = (protocol: ListeningPort["protocol"] | undefined, port: number) => {
    if (protocol !== undefined && isPort(port))
      found.set(`${protocol} ${port}`, { protocol, port });
  };
  for (const [, said = ""] of text.matchAll(/\binput\s*\(([^()]{0,2000})\)/gi)) {
    if (loopback.test(parameter(said, "address"))) continue;
    const ports = parameter(said, "port").matchAll(/[0-9]+/g);
    for (const [port] of ports) add(inputs[parameter(said, "type").toLowerCase()], Number(port));
  }
  let isLocal = false;
  for (const [, key = "", value = ""] of text.matchAll(/^[ \t]*\$(\w+)[ \t]+(\S+)/gm)) {
    if (/^udpserveraddress$/i.test(key)) isLocal = loopback.test(value);
    const protocol = inputs[key.toLowerCase()];
    if (protocol === "tcp" || !isLocal) add(protocol, Number(value));
  }
  return [...found.values()];
}

/** `port="514"`, or a list `port=["514", "515"]` as it stands. */
function parameter(said: string, name: string): string {
  const form = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|\\[([^\\]]*)\\])`, "i");
  const [, text, list] = form.exec(said) ?? [];
  return text ?? list ?? "";
}
