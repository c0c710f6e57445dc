import { systemClock } from '../../client/clock';
import { defaultSecretsManager } from '../../client/ports';
import { adapterHandler } from '../handler';
import { HttpsAdapter } from './adapter';
import { httpsDefinition } from './definition';

/** The function of an application that an HTTPS endpoint speaks for. */
export const handler = adapterHandler(
  httpsDefinition,
  (settings) => new HttpsAdapter(settings, { secretsManager: defaultSecretsManager(), clock: systemClock }),
);
