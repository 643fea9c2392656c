/** What the node remembers of its enrolment, and its keys; root-only. */
export const enrolDirectory = "/var/lib/firstlight/enroll";
export const enrolStateFile = `${enrolDirectory}/state.json`;

/**
 * Certificate and key for the link, in one file, so that both change at once: in memory only, root-only,
 * and handed to the unprivileged agent as a credential.
 */
export const identityFile = "/run/firstlight/enroll/identity.pem";

/** How far the enrolment is; readable by all, no secret in it. */
export const enrolmentStatusFile = "/run/firstlight/enrolment.json";

/** One process at a time enrols or renews: the unit, a person, or who carries out a command. */
export const enrolLock = "/run/firstlight/enroll.lock";
