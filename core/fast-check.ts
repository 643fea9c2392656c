import fc from "fast-check";

// Every property is tried with the same values each time; with others by hand: FC_SEED.
fc.configureGlobal({ seed: Number(process.env["FC_SEED"] ?? 20_261_126) });

export { fc };
