import * as z from 'zod/mini';

/** The settings of a rotator that needs none: whatever stands there is refused by name. */
export const noSettings = z.strictObject({});
