import * as z from 'zod';
import { read } from './markdown';

/** The names of the scripts in package.json: what `npm run` takes. */
export const scripts = Object.keys(
  z.looseObject({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(read('package.json')))
    .scripts,
);
