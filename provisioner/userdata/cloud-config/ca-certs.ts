import { X509Certificate } from "node:crypto";
import type { SpecDraft } from "../draft.ts";
import type { Input } from "../input.ts";
import type { CloudConfigModule } from "./module.ts";

/** Spellings of one key, the newer first. */
const spellings = ["ca_certs", "ca-certs"] as const;
const block = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** `ca_certs`: certificate authorities that the machine trusts. */
export const caCerts: CloudConfigModule = {
  name: "ca_certs",
  keys: spellings,
  rule:
    "Certificates in PEM are trusted beside those that NixOS brings. Each is read, and one that is no certificate is left out with a " +
    "warning, because the bundle of all of them could not be built with it. `remove_defaults` is refused: Nix fetches " +
    "packages with the same bundle; single authorities are taken out with security.pki.caCertificateBlacklist. `ca-certs` " +
    "and `remove-defaults` are older spellings.",
  example: `ca_certs:
  trusted:
    - |
      -----BEGIN CERTIFICATE-----
      MIIBgDCCASegAwIBAgIUbPqKDM3OSonCsOuAGzWBBk7FB1swCgYIKoZIzj0EAwIw
      FTETMBEGA1UEAwwKZXhhbXBsZSBDQTAgFw0yNjExMjcxODU0NTFaGA8yMTI2MTEw
      MzE4NTQ1MVowFTETMBEGA1UEAwwKZXhhbXBsZSBDQTBZMBMGByqGSM49AgEGCCqG
      SM49AwEHA0IABHbPRrkdXWtF+xFXG72/rfd7f7ReR+a3WyLRRy+BphyrU3v2YpTU
      F4dM8C08FcPDL7pBEFqM/25x/amGHHNJiNmjUzBRMB0GA1UdDgQWBBSVA+/U1F8I
      KeYn6oz/AR6di5xz3zAfBgNVHSMEGDAWgBSVA+/U1F8IKeYn6oz/AR6di5xz3zAP
      BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIAgnJddNPcpkR5Z8TW28
      qYucUknKxu4lHMQged/TINItAiB5Ecb62i4jBPUtAqrFKvI2C3ZBpi/vfMYwbm5C
      hKCJSw==
      -----END CERTIFICATE-----
`,
  translate({ config, draft }) {
    const [newer, older] = spellings.map((key) => config.get(key));
    if (newer !== undefined && older !== undefined) {
      older.unsupported({
        code: "cloud-config/overridden",
        message: "`ca_certs` counts instead, of which this is the older spelling",
        hint: "put what stands here under `ca_certs`, and remove it",
      });
    }
    const input = newer ?? older;
    if (input === undefined) return;
    if (!input.isMapping()) return input.expected("a mapping with `trusted`");
    if (input.entries().length === 0) input.mark("translated");
    for (const key of ["remove_defaults", "remove-defaults"]) refuseRemoval(input.get(key));
    addTrusted(input.get("trusted"), draft);
  },
};

function refuseRemoval(input: Input | undefined): void {
  if (input?.boolean() !== true) return;
  input.unsupported({
    code: "cloud-config/unsupported-key",
    message: "the authorities that NixOS brings stay trusted: Nix fetches packages with them",
    hint: "name single ones in security.pki.caCertificateBlacklist under `firstlight: options`",
  });
}

function addTrusted(input: Input | undefined, draft: SpecDraft): void {
  if (input === undefined) return;
  for (const item of typeof input.value === "string" ? [input] : input.items()) {
    const text = item.text();
    if (text === undefined) continue;
    const found = text.match(block) ?? [];
    if (found.length === 0 || !found.every(isCertificate)) {
      item.unsupported({
        code: "cloud-config/not-a-certificate",
        message: "this is no certificate in PEM; it is left out",
        hint: "write it whole, from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----",
      });
      continue;
    }
    draft.spec.certificates ??= [];
    draft.origin(["certificates", draft.spec.certificates.length], item);
    draft.spec.certificates.push(text.endsWith("\n") ? text : `${text}\n`);
  }
}

function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(text).raw.length > 0;
  } catch {
    return false;
  }
}
