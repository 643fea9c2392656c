/** Account that keys without a user go to, unless the settings name another. */
export const defaultUserName = "nixos";
