/** A host name, and the domain where one is known. */
export interface MachineName {
  readonly hostname: string;
  readonly domain?: string;
}

/** A name with or without domain: its first label, and the rest. */
export function splitName(full: string): MachineName {
  const [hostname = "", ...rest] = full.replace(/\.$/, "").split(".");
  return rest.length === 0 ? { hostname } : { hostname, domain: rest.join(".") };
}

/** Whether a name of the meta-data can be a machine's: clouds put free text there as well. */
export function isMachineName({ hostname, domain }: MachineName): boolean {
  const label = /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;
  return (
    label.test(hostname) &&
    (domain === undefined ||
      (domain.length < 253 && domain.split(".").every((part) => label.test(part))))
  );
}
