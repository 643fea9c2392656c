import { oneOf } from "#core/one-of.ts";
import type { ValidationError } from "#generated/templates/docker-host/schema.validate.js";
import type { CheckParameters, ParameterFault } from "#provisioner/render/templates.ts";

interface Validator {
  readonly validate: { (value: unknown): boolean; errors?: readonly ValidationError[] | null };
}

/** Compiled schemas of the templates that are shipped. */
const validators: Readonly<Record<string, () => Promise<Validator>>> = {
  "auto-gc": () => import("#generated/templates/auto-gc/schema.validate.js"),
  "docker-host": () => import("#generated/templates/docker-host/schema.validate.js"),
  "k3s-agent": () => import("#generated/templates/k3s-agent/schema.validate.js"),
  "k3s-server": () => import("#generated/templates/k3s-server/schema.validate.js"),
  kiosk: () => import("#generated/templates/kiosk/schema.validate.js"),
  "mosquitto-gateway": () => import("#generated/templates/mosquitto-gateway/schema.validate.js"),
  "nginx-proxy": () => import("#generated/templates/nginx-proxy/schema.validate.js"),
  "nvidia-compute": () => import("#generated/templates/nvidia-compute/schema.validate.js"),
  podman: () => import("#generated/templates/podman/schema.validate.js"),
  "prometheus-node": () => import("#generated/templates/prometheus-node/schema.validate.js"),
  tailscale: () => import("#generated/templates/tailscale/schema.validate.js"),
  "wireguard-mesh": () => import("#generated/templates/wireguard-mesh/schema.validate.js"),
  "workstation-gnome": () => import("#generated/templates/workstation-gnome/schema.validate.js"),
  "workstation-plasma": () => import("#generated/templates/workstation-plasma/schema.validate.js"),
};

/** Loads the schemas of these templates; the check itself is synchronous. */
export async function loadParameterCheck(names: readonly string[]): Promise<CheckParameters> {
  const loaded = new Map<string, Validator>();
  for (const name of names) {
    const load = Object.hasOwn(validators, name) ? validators[name] : undefined;
    if (load !== undefined) loaded.set(name, await load());
  }
  return (template, parameters) => {
    const validator = loaded.get(template);
    if (validator === undefined || validator.validate(parameters)) return [];
    return (validator.validate.errors ?? []).map(toFault);
  };
}

function toFault(error: ValidationError): ParameterFault {
  const added = error.params["additionalProperty"];
  const path = error.instancePath
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  if (typeof added === "string")
    return { path: [...path, added], message: `has no parameter \`${added}\`` };
  const missing = error.params["missingProperty"];
  if (typeof missing === "string") return { path, message: `lacks \`${missing}\``, missing };
  const name = path.join(".") || "its parameters";
  const allowed = error.params["allowedValues"];
  if (Array.isArray(allowed)) return { path, message: `${name} must be ${oneOf(allowed)}` };
  // A regular expression says nothing to a person; the page shows each parameter with an example.
  const isPattern = error.keyword === "pattern";
  const fault = isPattern ? "does not have the form that docs/templates.md shows" : error.message;
  return { path, message: `${name} ${fault ?? "do not fit"}` };
}
