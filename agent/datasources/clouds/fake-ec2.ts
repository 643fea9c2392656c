/** For tests and the bench: what EC2's metadata service says. */
import type { IncomingMessage } from "node:http";
import type { FakeAnswer } from "../metadata/fake-service.ts";

export const ec2Meta = "/latest/meta-data/";
export const ec2Token = "/latest/api/token";
export const ec2UserData = "#cloud-config\nhostname: a\n";

/** An instance with one key and one interface. */
export const ec2Answers: Readonly<Record<string, FakeAnswer>> = {
  [ec2Meta]:
    "ami-id\niam/\ninstance-id\ninstance-type\nlocal-hostname\nplacement/\npublic-keys/\ntags/",
  [`${ec2Meta}ami-id`]: "ami-1",
  [`${ec2Meta}iam/`]: "security-credentials/",
  [`${ec2Meta}instance-id`]: "i-0123456789abcdef0",
  [`${ec2Meta}instance-type`]: "m6i.large",
  [`${ec2Meta}local-hostname`]: "ip-192-0-2-7.eu-west-1.compute.internal",
  [`${ec2Meta}placement/`]: "availability-zone\nregion",
  [`${ec2Meta}placement/availability-zone`]: "eu-west-1a",
  [`${ec2Meta}placement/region`]: "eu-west-1",
  [`${ec2Meta}public-keys/`]: "0=mine",
  [`${ec2Meta}public-keys/0/`]: "openssh-key",
  [`${ec2Meta}public-keys/0/openssh-key`]: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA mine\n",
  [`${ec2Meta}tags/`]: "instance/",
  [`${ec2Meta}tags/instance/`]: "Name",
  [`${ec2Meta}tags/instance/Name`]: "edge",
  [ec2Token]: "t0ken",
  "/latest/user-data": ec2UserData,
  "/latest/dynamic/instance-identity/document": '{ "region": "eu-west-1" }',
};

/** Answers who has a token, and hands out one at a time. */
export function onlyWith(current: () => string) {
  return ({ method, url, headers }: IncomingMessage): FakeAnswer | undefined => {
    if (url === ec2Token) return method === "PUT" ? undefined : { status: 405 };
    return headers["x-aws-ec2-metadata-token"] === current() ? undefined : { status: 401 };
  };
}
