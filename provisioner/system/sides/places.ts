/** Where the root side is asked by root itself; 0600 root. */
export const operatorSocket = "/run/firstlight/system.sock";

/** Where the network side hands things over and asks; 0660, its group {@link courierGroup}. */
export const courierSocket = "/run/firstlight/courier.sock";

export const courierGroup = "firstlight";

/** Version of what the two sides say to each other. */
export const sidesVersion = 1;
