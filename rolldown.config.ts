import { bundle } from "./tools/bundle.ts";

export default bundle(import.meta.dirname);
