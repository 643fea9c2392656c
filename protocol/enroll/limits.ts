/** Largest body of a request to the enrolment server, in bytes. */
export const maxRequestBytes = 56 * 1024;
/** Largest body of an answer, in bytes. */
export const maxAnswerBytes = 64 * 1024;
/** Where the enrolment server answers, below its address. */
export const challengePath = "/enroll/1/challenge";
export const claimPath = "/enroll/1/claim";

/**
 * Name of an enrolled node: part of topics, client id, and common name of a certificate, which has
 * room for 64 characters (RFC 5280, ub-common-name).
 */
export const nodeNamePattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
/** Name of a fleet, as in the settings. */
export const fleetNamePattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
