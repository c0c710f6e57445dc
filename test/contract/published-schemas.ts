import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { contractFolder } from '../../local/contract/files';
import { allTypes, slug } from '../../local/contract/json-schemas';

/** The published JSON Schemas, read from their files as a stranger would. */
export function publishedSchemas() {
  const ajv = addFormats(new Ajv2020({ allErrors: true }));
  const validators = new Map<string, ValidateFunction>(
    allTypes.map((type) => {
      const file = path.join(__dirname, '../..', contractFolder, `${slug(type)}.schema.json`);
      return [type, ajv.compile(JSON.parse(readFileSync(file, 'utf8')) as object)];
    }),
  );
  return {
    /** What an event has against the schema of its detail type, in words; none where it fits. */
    faults(event: unknown): readonly string[] {
      const type =
        typeof event === 'object' && event !== null && 'detail-type' in event ? event['detail-type'] : '';
      const validate = validators.get(String(type));
      if (validate === undefined) return [`there is no schema for ${String(type)}`];
      if (validate(event)) return [];
      return (validate.errors ?? []).map(
        ({ instancePath, message }) => `${String(type)}${instancePath} ${message ?? ''}`,
      );
    },
  };
}
