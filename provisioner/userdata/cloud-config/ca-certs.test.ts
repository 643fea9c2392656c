import t from "tap";
import { checkCases } from "./check-cases.ts";

const pem = `-----BEGIN CERTIFICATE-----
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
`;
const folded = JSON.stringify(pem);
const both = `${pem}${pem}`;

checkCases(t, [
  {
    name: "certificates are trusted",
    yaml: `ca_certs: {trusted: [${folded}, ${JSON.stringify(both.trimEnd())}]}\n`,
    spec: { certificates: [pem, both] },
  },
  {
    name: "one text is one certificate, and the older spelling is read",
    yaml: `ca-certs: {trusted: ${folded}, remove-defaults: false}\n`,
    spec: { certificates: [pem] },
  },
  {
    name: "of both spellings the newer counts",
    yaml: `ca_certs: {trusted: [${folded}]}\nca-certs: {trusted: [x]}\n`,
    spec: { certificates: [pem] },
    says: ["warning cloud-config/overridden 3:1 ca-certs"],
  },
  {
    name: "what is no certificate is left out",
    yaml: `ca_certs: {trusted: [single, "${"-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END CERTIFICATE-----"}", ${folded}]}\n`,
    spec: { certificates: [pem] },
    says: [
      "warning cloud-config/not-a-certificate 2:22 ca_certs.trusted.0",
      "warning cloud-config/not-a-certificate 2:30 ca_certs.trusted.1",
    ],
  },
  {
    name: "the authorities of NixOS stay",
    yaml: "ca_certs: {remove_defaults: true}\n",
    spec: {},
    says: ["warning cloud-config/unsupported-key 2:12 ca_certs.remove_defaults"],
  },
  {
    name: "wrong types in each place",
    yaml: "ca_certs: {remove_defaults: [a], trusted: [1, {a: b}]}\n",
    spec: {},
    says: [
      "error user-data/wrong-type 2:29 ca_certs.remove_defaults",
      "error user-data/wrong-type 2:44 ca_certs.trusted.0",
      "error user-data/wrong-type 2:47 ca_certs.trusted.1",
    ],
  },
  {
    name: "a text is no section",
    yaml: "ca_certs: x\n",
    spec: {},
    says: ["error user-data/wrong-type 2:11 ca_certs"],
  },
]);
